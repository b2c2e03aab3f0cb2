import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import type { HttpdSettings } from './settings.ts';
import { flushToDisk } from './sync.ts';
import { absent } from './tree.ts';

/** How far a deployment came on this host. */
const phases = [
  /** The backup is complete; the live configuration is as it was. */
  'backedUp',
  /** The live configuration is being replaced: neither old nor new. */
  'replacing',
  /** The new configuration is complete on disk; httpd may still run the old one. */
  'replaced',
  /** The new configuration is complete and serving. */
  'reloaded',
  /** The backup is being put back: neither old nor new until that is done. */
  'restoring',
  /** The backup was put back and is serving; this deployment is over. */
  'restored',
] as const;

export interface Journal {
  readonly deployment: string;
  readonly phase: (typeof phases)[number];
  /** Fingerprint of the configuration that was backed up. */
  readonly oldTree: string;
  /** Fingerprint of the configuration that replaces it; from `replacing` on. */
  readonly newTree?: string;
  /** The globs of immutable files at the time of the backup: putting it back must leave out the same ones. */
  readonly immutable: readonly string[];
}

const journalPath = (settings: HttpdSettings): string => join(settings.stateFolder, 'journal.json');

/**
 * What the last deployment on this host left; undefined when there was none.
 * @throws Failure `Conflict` when the journal is damaged.
 */
export async function readJournal(settings: HttpdSettings): Promise<Journal | undefined> {
  const text = await readFile(journalPath(settings), 'utf8').catch(absent);
  if (text === undefined) return undefined;
  const journal = parse(text);
  if (!journal)
    throw new Failure(
      'Conflict',
      `${journalPath(settings)} is damaged: compare the configuration with the backups beside it, then remove that file`,
    );
  return journal;
}

function parse(text: string): Journal | undefined {
  try {
    const journal = JSON.parse(text) as Journal;
    const known = phases.includes(journal.phase) && typeof journal.oldTree === 'string';
    return known && Array.isArray(journal.immutable) ? journal : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the journal in one step; on return it is on disk. */
export async function writeJournal(settings: HttpdSettings, journal: Journal): Promise<void> {
  await mkdir(settings.stateFolder, { recursive: true, mode: 0o700 });
  const path = journalPath(settings);
  const handle = await open(`${path}.partial`, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(journal, undefined, 2) + '\n');
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.partial`, path);
  await flushToDisk(settings.stateFolder);
}

/** @throws Failure `InvalidInput` when a deployment's name could not be a file's. */
export function checkDeployment(deployment: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,149}$/.test(deployment))
    throw new Failure(
      'InvalidInput',
      `"${deployment}" cannot name a deployment: letters, digits, - and _ only`,
    );
}
