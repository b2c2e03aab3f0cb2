import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Activities, InstallInput, Installed } from '../model/activities.ts';
import { packageLabel } from '../model/artifacts.ts';
import type { Instance } from '../model/schema/definition.ts';
import { Failure, messageOf } from '../systems/failure.ts';
import { crxPackageManager } from '../systems/package-manager/crx.ts';
import { installUploaded, tookPlace, uploadPackage } from '../systems/package-manager/deliver.ts';
import { readIntent, writeIntent } from '../systems/package-manager/intent.ts';
import type { PackageManager } from '../systems/package-manager/package-manager.ts';
import { preflight } from '../systems/package-manager/preflight.ts';
import { expectationOf, lookBefore, untilSettled } from '../systems/package-manager/settle.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';

interface Deps {
  readonly storage: Storage;
  readonly secret: (name: string) => Promise<string>;
  /** Where packages are put for as long as they are being uploaded. */
  readonly workFolder: string;
}

const MB = 1_000_000;

export const packageActivities = (deps: Deps): Pick<Activities, 'preflightInstance' | 'installPackage'> => ({
  preflightInstance: ({ instance, artifacts, log }) =>
    whileHeartbeating(async (signal) => {
      const say = stepLog(deps.storage, log, instance.id);
      const { problems, notes } = await managerOf(instance, deps.secret).then(
        (manager) => preflight(manager, artifacts, signal),
        (error: unknown) => ({ problems: [messageOf(error)], notes: [] }),
      );
      const named = problems.map((problem) => `instance ${instance.id}: ${problem}`);
      await say([...named, ...notes, ...(named.length === 0 ? ['ready for the packages'] : [])].join('\n'));
      return named;
    }),

  installPackage: (input) => whileHeartbeating((signal, beat) => install(input, deps, signal, beat)),
});

async function managerOf(instance: Instance, secret: Deps['secret']): Promise<PackageManager> {
  return crxPackageManager({ url: instance.url, credentials: await secret(instance.credentials) });
}

async function install(
  { deployment, instance, artifact, log }: InstallInput,
  { storage, secret, workFolder }: Deps,
  signal: AbortSignal,
  beat: (detail: unknown) => void,
): Promise<Installed> {
  const started = Date.now();
  const { id } = artifact.package;
  const label = packageLabel(id);
  const say = stepLog(storage, log, instance.id);
  const manager = await managerOf(instance, secret);
  const expectation = expectationOf(artifact.package);
  const key = `deployments/${deployment}/${instance.id}/${artifact.file.sha256}.json`;

  beat('asking what is there');
  const earlier = await readIntent(storage, key);
  const already = earlier && !earlier.refused && (await tookPlace(manager, id, earlier, signal));
  const before = earlier ?? (await lookBefore(manager, expectation, signal));
  if (already) await say(`${label} was installed by an earlier attempt`);
  else
    await withCopy(artifact.file, workFolder, storage, signal, async (file) => {
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
        // A package imported with errors counts as installed on the instance: another attempt must not believe it.
        if (error instanceof Failure && ['Rejected', 'Damaged'].includes(error.type))
          await writeIntent(storage, key, { ...intent, refused: true });
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
  workFolder: string,
  storage: Storage,
  signal: AbortSignal,
  use: (file: string) => Promise<void>,
): Promise<void> {
  await mkdir(workFolder, { recursive: true });
  const folder = await mkdtemp(join(workFolder, 'package-'));
  try {
    const file = join(folder, 'package.zip');
    await storage.fetch(stored, file, signal);
    await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
