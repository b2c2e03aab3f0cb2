import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Activities, InstallInput, Installed } from '../model/activities.ts';
import { packageLabel } from '../model/artifacts.ts';
import { Failure } from '../systems/failure.ts';
import { packageManagerOf } from '../systems/package-manager/choose.ts';
import { installUploaded, tookPlace, uploadPackage } from '../systems/package-manager/deliver.ts';
import { readIntent, writeIntent } from '../systems/package-manager/intent.ts';
import { expectationOf, lookBefore, untilSettled } from '../systems/package-manager/settle.ts';
import type { Storage } from '../systems/storage/storage.ts';
import type { Deps } from './deps.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';

interface PackageDeps extends Deps {
  /** Where packages are put for as long as they are being uploaded. */
  readonly workFolder: string;
}

const MB = 1_000_000;

export const packageActivities = (deps: PackageDeps): Pick<Activities, 'installPackage'> => ({
  installPackage: (input) => whileHeartbeating((signal, beat) => install(input, deps, signal, beat)),
});

async function install(
  { deployment, instance, artifact, log }: InstallInput,
  { storage, secret, workFolder }: PackageDeps,
  signal: AbortSignal,
  beat: (detail: unknown) => void,
): Promise<Installed> {
  const started = Date.now();
  const { id } = artifact.package;
  const label = packageLabel(id);
  const say = stepLog(storage, log, instance.id);
  const manager = packageManagerOf(instance, await secret(instance.credentials));
  const expectation = expectationOf(artifact.package);
  const copies = join(
    workFolder,
    `package-${deployment}-${instance.id}-${artifact.file.sha256.slice(0, 16)}`,
  );
  await rm(copies, { recursive: true, force: true }); // of an attempt that died
  const key = `deployments/${deployment}/${instance.id}/${artifact.file.sha256}.json`;

  beat('asking what is there');
  const earlier = await readIntent(storage, key);
  const onUnderWay = () =>
    beat(`waiting: the installation of ${label} by an earlier attempt may be under way`);
  const already = earlier && (await tookPlace(manager, id, earlier, { signal, onWaiting: onUnderWay }));
  const before = earlier ?? (await lookBefore(manager, expectation, signal));
  if (already) await say(`${label} was installed by an earlier attempt`);
  else
    await withCopy(artifact.file, copies, storage, signal, async (file) => {
      const total = Math.round(artifact.file.size / MB);
      const progress = (bytes: number) => `uploading ${Math.round(bytes / MB)} of ${total} MB`;
      await say(`uploading ${label} (${artifact.file.size} bytes)`);
      let shown = '';
      const onSent = (bytes: number) => {
        if (progress(bytes) !== shown) beat((shown = progress(bytes)));
      };
      const uploaded = await uploadPackage(manager, { file, id, signal, onSent });
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
    });

  const onWaiting = (problems: readonly string[]) => beat(`waiting: ${problems.join('; ')}`);
  const tolerated = await untilSettled(manager, expectation, before, { signal, onWaiting });
  for (const bundle of tolerated) await say(`${bundle}, as before this deployment`);
  const seconds = Math.round((Date.now() - started) / 100) / 10;
  await say(`${label} has settled after ${seconds} s`);
  return { how: already ? 'alreadyInstalled' : 'installed', seconds };
}

async function withCopy(
  stored: InstallInput['artifact']['file'],
  folder: string,
  storage: Storage,
  signal: AbortSignal,
  use: (file: string) => Promise<void>,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const file = join(folder, 'package.zip');
    await storage.fetch(stored, file, signal);
    await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
