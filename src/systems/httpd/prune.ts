import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readJournal } from './journal.ts';
import type { HttpdSettings } from './settings.ts';
import { absent } from './tree.ts';

const KEPT_BACKUPS = 3;

export const backupFolder = (settings: HttpdSettings, deployment: string): string =>
  join(settings.stateFolder, `backup-${deployment}`);

/** Removes unfinished copies, and the staging and packages of all deployments but `current`. */
export async function pruneStaging(
  settings: HttpdSettings,
  current?: { readonly deployment: string; readonly sha256: string },
): Promise<void> {
  const needed = current ? [`package-${current.sha256}`, `staging-${current.deployment}`] : [];
  for (const name of await namesIn(settings.stateFolder))
    if ((/^(package|staging)-/.test(name) || name.endsWith('.partial')) && !needed.includes(name))
      await rm(join(settings.stateFolder, name), { recursive: true, force: true });
}

/** Removes all but the three newest backups; the one that the journal names always stays. */
export async function pruneBackups(settings: HttpdSettings): Promise<void> {
  const current = `backup-${(await readJournal(settings))?.deployment}`;
  const backups: { path: string; made: number }[] = [];
  for (const name of await namesIn(settings.stateFolder)) {
    if (!name.startsWith('backup-') || name === current) continue;
    const path = join(settings.stateFolder, name);
    backups.push({ path, made: (await stat(path)).ctimeMs });
  }
  backups.sort((a, b) => b.made - a.made);
  for (const { path } of backups.slice(KEPT_BACKUPS - 1)) await rm(path, { recursive: true, force: true });
}

const namesIn = async (folder: string): Promise<string[]> => (await readdir(folder).catch(absent)) ?? [];
