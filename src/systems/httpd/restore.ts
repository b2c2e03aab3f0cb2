import type { ConfigurationState } from '../../model/activities.ts';
import { Failure, messageOf } from '../failure.ts';
import { configTest } from './config-test.ts';
import { checkDeployment, readJournal, writeJournal, type Journal } from './journal.ts';
import { exists } from './package.ts';
import { backupFolder, pruneStaging } from './prune.ts';
import { awaitListener, listens, reload } from './serving.ts';
import type { HttpdSettings, Log } from './settings.ts';
import { syncTree } from './sync.ts';
import { hashTree, immutableTest } from './tree.ts';

export interface Recovered {
  readonly state: ConfigurationState;
  readonly done: readonly string[];
}

/**
 * Ends a deployment by putting its backup back: files, config test, graceful reload, good answers. When the deployment
 * changed nothing there is nothing to do. Trouble is told in the log and by the state, never thrown, so that whoever
 * cleans up can decide whether the node may serve; only the signal's reason is thrown.
 */
export async function restore(
  settings: HttpdSettings,
  deployment: string,
  log: Log,
  signal?: AbortSignal,
): Promise<ConfigurationState> {
  checkDeployment(deployment);
  return asState(log, signal, async () => {
    const journal = await readJournal(settings);
    if (journal?.deployment !== deployment) {
      if (journal && isUnfinished(journal)) {
        await log(
          `deployment ${journal.deployment} is unfinished on this host (${journal.phase}): repair the environment`,
        );
        return 'inconsistent';
      }
      await log('nothing was changed on this host: nothing to restore');
      return 'old';
    }
    if (journal.phase === 'backedUp' || journal.phase === 'restored') {
      const live = await hashTree(settings.serverRoot, immutableTest(journal.immutable));
      await log(
        live === journal.oldTree
          ? 'the configuration is as it was: nothing to restore'
          : 'this deployment changed nothing; something else has changed the configuration since, which stays',
      );
      return 'old';
    }
    await putBack(settings, journal, log, signal);
    if (!(await awaitListener(settings, signal)))
      throw new Failure(
        'Unavailable',
        `httpd is not running: nothing listens at ${settings.baseline.url}; the old configuration is on disk, start it`,
      );
    await reload(settings, log, signal);
    await writeJournal(settings, { ...journal, phase: 'restored' });
    await log('the old configuration is back and serving');
    return 'old';
  });
}

/**
 * Before an agent takes tasks: a configuration that is neither old nor new becomes the old one again, so that the
 * deployment can repeat its step. httpd is reloaded only if it runs; otherwise it finds the old files when it starts.
 * A complete configuration, old or new, is left for the deployment to go on with. Removes unfinished copies.
 */
export async function recover(settings: HttpdSettings, log: Log): Promise<Recovered> {
  return telling(log, async (say) => {
    const journal = await readJournal(settings);
    await pruneStaging(settings);
    if (!journal) return 'old';
    if (journal.phase === 'reloaded' || journal.phase === 'replaced') return 'new';
    if (journal.phase !== 'replacing' && journal.phase !== 'restoring') return 'old';
    await say(`deployment ${journal.deployment} was interrupted (${journal.phase}): putting its backup back`);
    await putBack(settings, journal, say);
    if (await listens(settings)) await reload(settings, say);
    else await say('httpd is not running: it takes the old configuration when it starts');
    await writeJournal(settings, { ...journal, phase: 'backedUp' });
    return 'old';
  });
}

/**
 * Before a deployment, and for repairs: whatever an earlier deployment left becomes a complete configuration that httpd
 * serves. One that was not completed, even if its files are, gives way to its backup. `new` means that the last
 * deployment's configuration is in place and was serving.
 */
export async function reconcile(settings: HttpdSettings, log: Log, signal?: AbortSignal): Promise<Recovered> {
  return telling(
    log,
    async (say) => {
      const journal = await readJournal(settings);
      if (!journal || !isUnfinished(journal)) return journal?.phase === 'reloaded' ? 'new' : 'old';
      await say(`deployment ${journal.deployment} was left unfinished (${journal.phase})`);
      return restore(settings, journal.deployment, say, signal);
    },
    signal,
  );
}

const isUnfinished = ({ phase }: Journal): boolean =>
  phase === 'replacing' || phase === 'replaced' || phase === 'restoring';

/** The files of the backup, proven to be those that were backed up and to pass Apache's test. */
async function putBack(
  settings: HttpdSettings,
  journal: Journal,
  log: Log,
  signal?: AbortSignal,
): Promise<void> {
  const folder = backupFolder(settings, journal.deployment);
  const immutable = immutableTest(journal.immutable);
  if (!(await exists(folder))) throw new Failure('Missing', `the backup ${folder} is gone: restore by hand`);
  if ((await hashTree(folder, immutable)) !== journal.oldTree)
    throw new Failure('Conflict', `the backup ${folder} is damaged: restore by hand`);
  await pruneStaging(settings); // on a disk that is full, this makes the room that is needed
  await writeJournal(settings, { ...journal, phase: 'restoring' });
  const { written, removed } = await syncTree(folder, settings.serverRoot, immutable, signal);
  if ((await hashTree(settings.serverRoot, immutable)) !== journal.oldTree)
    throw new Failure('Conflict', `something else changes the configuration in ${settings.serverRoot}`);
  await log(`backup put back: ${written} written, ${removed} removed`);
  const what = `the old configuration in ${settings.serverRoot}`;
  await configTest(settings, settings.serverRoot, what, signal);
}

async function asState(
  log: Log,
  signal: AbortSignal | undefined,
  work: () => Promise<ConfigurationState>,
): Promise<ConfigurationState> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    await log(`the configuration could not be made good: ${messageOf(error)}`);
    if (error instanceof Failure) for (const line of error.details) await log(`  ${line}`);
    return 'inconsistent';
  }
}

/** Runs `work`, remembering each line that it says. */
async function telling(
  log: Log,
  work: (say: Log) => Promise<ConfigurationState>,
  signal?: AbortSignal,
): Promise<Recovered> {
  const done: string[] = [];
  const say: Log = async (line) => {
    done.push(line);
    await log(line);
  };
  const state = await asState(say, signal, () => work(say));
  return { state, done };
}
