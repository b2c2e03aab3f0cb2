import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Activities, InstallInput, Installed } from '../model/activities.ts';
import { packageLabel } from '../model/artifacts.ts';
import { Failure } from '../systems/failure.ts';
import { packageManagerOf } from '../systems/package-manager/choose.ts';
import { installUploaded, tookPlace, uploadPackage } from '../systems/package-manager/deliver.ts';
import { readIntent, writeIntent } from '../systems/package-manager/intent.ts';
import { expectationOf, lookBefore, untilSettled } from '../systems/package-manager/settle.ts';
import type { Deps } from './deps.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';
import { withWorkFolder } from './work-folder.ts';

interface PackageDeps extends Deps {
  /** Where packages are put for as long as they are being uploaded. */
  readonly workFolder: string;
}

const MB = 1_000_000;

export const packageActivities = (deps: PackageDeps): Pick<Activities, 'installPackage'> => ({
  installPackage: (input) =>
    whileHeartbeating((signal, beat) =>
      withWorkFolder(deps.workFolder, nameOf(input), (work) => install(input, deps, work, signal, beat)),
    ),
});

const nameOf = ({ deployment, instance, artifact }: InstallInput): string =>
  `package-${deployment}-${instance.id}-${artifact.file.sha256.slice(0, 16)}`;

async function install(
  { deployment, instance, artifact, log }: InstallInput,
  { storage, secret }: PackageDeps,
  work: string,
  signal: AbortSignal,
  beat: (detail: unknown) => void,
): Promise<Installed> {
  const started = Date.now();
  const { id } = artifact.package;
  const label = packageLabel(id);
  const say = stepLog(storage, log, instance.id);
  const manager = packageManagerOf(instance, await secret(instance.credentials));
  const expectation = expectationOf(artifact.package);
  const key = `deployments/${deployment}/${instance.id}/${artifact.file.sha256}.json`;

  beat('asking what is there');
  const earlier = await readIntent(storage, key);
  const onUnderWay = () =>
    beat(`waiting: the installation of ${label} by an earlier attempt may be under way`);
  const already = earlier && (await tookPlace(manager, id, earlier, { signal, onWaiting: onUnderWay }));
  const before = earlier ?? (await lookBefore(manager, expectation, signal));
  if (already) await say(`${label} was installed by an earlier attempt`);
  else {
    const file = join(work, 'package.zip');
    await storage.fetch(artifact.file, file, signal);
    const total = Math.round(artifact.file.size / MB);
    const progress = (bytes: number) => `uploading ${Math.round(bytes / MB)} of ${total} MB`;
    await say(`uploading ${label} (${artifact.file.size} bytes)`);
    let shown = '';
    const onSent = (bytes: number) => {
      if (progress(bytes) !== shown) beat((shown = progress(bytes)));
    };
    const uploaded = await uploadPackage(manager, { file, id, signal, onSent });
    await rm(file); // to settle may take long
    const { broken, indistinct } = before;
    const intent = { broken, indistinct, at: Date.now(), lastUnpacked: uploaded.lastUnpacked };
    await writeIntent(storage, key, intent);
    beat(`installing ${label}`);
    const lines = await installUploaded(manager, uploaded, signal).catch(async (error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      // A package imported with errors counts as installed on the instance: another attempt must not believe it.
      const refused = ['Rejected', 'Damaged'].includes(error.type);
      await writeIntent(storage, key, { ...intent, ...(refused ? { refused } : { ended: true }) });
      throw error;
    });
    await say([`installed ${label}:`, ...lines].join('\n'));
  }

  const onWaiting = (problems: readonly string[]) => beat(`waiting: ${problems.join('; ')}`);
  const tolerated = await untilSettled(manager, expectation, before, { signal, onWaiting });
  for (const bundle of tolerated) await say(`${bundle}, as before this deployment`);
  const seconds = Math.round((Date.now() - started) / 100) / 10;
  await say(`${label} has settled after ${seconds} s`);
  return { how: already ? 'alreadyInstalled' : 'installed', seconds };
}
