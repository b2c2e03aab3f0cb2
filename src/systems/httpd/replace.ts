import type { DispatcherArtifact } from '../../model/artifacts.ts';
import { Failure } from '../failure.ts';
import type { Storage } from '../storage/storage.ts';
import { configTest } from './config-test.ts';
import { readJournal, writeJournal, type Journal } from './journal.ts';
import { unpackedPackage } from './package.ts';
import { reload } from './serving.ts';
import type { HttpdSettings, Log } from './settings.ts';
import { stage } from './stage.ts';
import { syncTree, type Synced } from './sync.ts';
import { hashTree, immutableTest } from './tree.ts';

/**
 * Makes the live configuration what the package and the host's immutable files make up; httpd is not told yet.
 * Interrupted at any line it can be repeated, and until it is complete the journal says so.
 * @throws Failure `Conflict` without a backup of this deployment; whatever `unpackedPackage` and `stage` throw
 */
export async function replace(
  settings: HttpdSettings,
  storage: Storage,
  deployment: string,
  artifact: DispatcherArtifact,
  log: Log,
  signal?: AbortSignal,
): Promise<Synced & { readonly ignored: readonly string[] }> {
  const journal = await journalOf(settings, deployment, ['backedUp', 'replacing', 'replaced', 'reloaded']);
  const immutable = immutableTest(journal.immutable);
  const folder = await unpackedPackage(settings, storage, artifact, log, signal);
  const staged = await stage({ ...settings, immutable: journal.immutable }, deployment, folder, signal);
  const newTree = await hashTree(staged.root, immutable);

  await writeJournal(settings, { ...journal, phase: 'replacing', newTree });
  const synced = await syncTree(staged.root, settings.serverRoot, immutable, signal);
  if ((await hashTree(settings.serverRoot, immutable)) !== newTree)
    throw new Failure(
      'Conflict',
      `the configuration in ${settings.serverRoot} is not what was written: something else changes it`,
    );
  await writeJournal(settings, { ...journal, phase: 'replaced', newTree });
  for (const path of staged.changed) await log(`immutable, the package's change is ignored: ${path}`);
  await log(`configuration replaced: ${synced.written} written, ${synced.removed} removed`);
  return { ...synced, ignored: staged.changed };
}

/**
 * Apache's config test of the live configuration.
 * @throws Failure `Conflict` when that is not what this deployment wrote, `Rejected` with Apache's lines
 */
export async function testReplaced(
  settings: HttpdSettings,
  deployment: string,
  log: Log,
  signal?: AbortSignal,
): Promise<void> {
  const journal = await journalOf(settings, deployment, ['replaced', 'reloaded']);
  if ((await hashTree(settings.serverRoot, immutableTest(journal.immutable))) !== journal.newTree)
    throw new Failure(
      'Conflict',
      `the configuration in ${settings.serverRoot} was changed by something else after deployment ${deployment} wrote it`,
    );
  const what = `the new configuration in ${settings.serverRoot}`;
  for (const line of await configTest(settings, settings.serverRoot, what, signal))
    await log(`apache: ${line}`);
  await log('config test: good');
}

/**
 * Config test, graceful reload, and waiting until httpd serves the new configuration.
 * @throws what `testReplaced` and `reload` throw
 */
export async function reloadReplaced(
  settings: HttpdSettings,
  deployment: string,
  log: Log,
  signal?: AbortSignal,
): Promise<void> {
  await testReplaced(settings, deployment, log, signal);
  await reload(settings, log, signal);
  const journal = await journalOf(settings, deployment, ['replaced', 'reloaded']);
  await writeJournal(settings, { ...journal, phase: 'reloaded' });
}

async function journalOf(
  settings: HttpdSettings,
  deployment: string,
  allowed: readonly Journal['phase'][],
): Promise<Journal> {
  const journal = await readJournal(settings);
  if (journal?.deployment === deployment && allowed.includes(journal.phase)) return journal;
  const found = journal ? `deployment ${journal.deployment} is ${journal.phase}` : 'no deployment began';
  throw new Failure(
    'Conflict',
    `deployment ${deployment} cannot go on: it must be ${allowed.join(' or ')}, and on this host ${found}`,
  );
}
