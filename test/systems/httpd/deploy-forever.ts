/**
 * A process to be killed: deploys the given artifacts in turn, every second time taking the deployment back, until
 * somebody ends it. Argument: JSON of settings, storage folder, artifacts and a name for its deployments.
 */
import type { DispatcherArtifact } from '../../../src/model/artifacts.ts';
import { backUp } from '../../../src/systems/httpd/backup.ts';
import { reloadReplaced, replace } from '../../../src/systems/httpd/replace.ts';
import { recover, restore } from '../../../src/systems/httpd/restore.ts';
import type { HttpdSettings } from '../../../src/systems/httpd/settings.ts';
import { fileStorage } from '../../../src/systems/storage/file-storage.ts';

const { settings, storage, artifacts, run } = JSON.parse(process.argv[2] ?? '') as {
  settings: HttpdSettings;
  storage: string;
  artifacts: DispatcherArtifact[];
  run: string;
};
const quiet = async () => undefined;
await recover(settings, quiet);
for (let turn = 0; ; turn++) {
  const artifact = artifacts[turn % artifacts.length];
  if (!artifact) throw new Error('no artifact');
  const deployment = `${run}-${turn}`;
  await backUp(settings, deployment, quiet);
  await replace(settings, fileStorage(storage), deployment, artifact, quiet);
  if (turn % 2 === 0) await restore(settings, deployment, quiet);
  else await reloadReplaced(settings, deployment, quiet);
}
