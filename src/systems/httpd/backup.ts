import { mkdir, rename, rm } from 'node:fs/promises';
import { Failure } from '../failure.ts';
import { checkDeployment, readJournal, writeJournal } from './journal.ts';
import { exists } from './package.ts';
import { withProtected } from './protected.ts';
import { backupFolder, pruneBackups } from './prune.ts';
import type { HttpdSettings, Log } from './settings.ts';
import { flushToDisk, syncTree } from './sync.ts';
import { hashTree, immutableTest } from './tree.ts';

/**
 * Copies the configuration folders to the state folder: links, permissions, times and, as root, owners. Repeated, the
 * first complete backup of the deployment stays, so that a half replaced configuration is never taken for the old one.
 * @throws Failure `Conflict` when another deployment is unfinished, or the configuration changed meanwhile
 */
export async function backUp(
  given: HttpdSettings,
  deployment: string,
  log: Log,
  signal?: AbortSignal,
): Promise<void> {
  checkDeployment(deployment);
  const settings = await withProtected(given, signal);
  const journal = await readJournal(settings);
  const own = journal?.deployment === deployment;
  if (own && ['replacing', 'replaced', 'reloaded'].includes(journal.phase))
    return log('the configuration was backed up before');
  if (journal && ['replacing', 'replaced', 'restoring'].includes(journal.phase))
    throw new Failure(
      'Conflict',
      `deployment ${journal.deployment} left the configuration unfinished (${journal.phase}): repair the environment first`,
    );

  const folder = backupFolder(settings, deployment);
  const immutable = immutableTest(settings.immutable);
  const live = await hashTree(settings.serverRoot, immutable);
  // Made by an earlier attempt, whose journal entry may be missing; of use only if it is what is live now.
  if ((await exists(folder)) && (await hashTree(folder, immutable)) !== live)
    await rm(folder, { recursive: true, force: true });
  if (!(await exists(folder))) {
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o700 });
    await syncTree(settings.serverRoot, partial, () => false, signal);
    if ((await hashTree(partial, immutable)) !== live)
      throw new Failure(
        'Conflict',
        `the configuration in ${settings.serverRoot} changes while it is backed up: find out who changes it, and run again`,
      );
    await flushToDisk(partial);
    await rename(partial, folder);
    await flushToDisk(settings.stateFolder);
  }
  await writeJournal(settings, {
    deployment,
    phase: 'backedUp',
    oldTree: live,
    immutable: settings.immutable,
  });
  await log(`the configuration is backed up in ${folder}`);
  await pruneBackups(settings);
}
