import { stat } from 'node:fs/promises';
import type { PackageId } from '../../model/artifacts.ts';
import { packageLabel } from '../../model/artifacts.ts';
import { Failure } from '../failure.ts';
import { pause } from '../pause.ts';
import { LostAnswer } from './http.ts';
import type { ListedPackage, PackageManager } from './package-manager.ts';

/** What is written down before an installation, so that a later attempt can tell whether it took place. */
export interface Intent {
  /** When it was written, by this machine's clock, milliseconds since 1970. */
  readonly at: number;
  /** When the package had last been installed, by the instance's clock; 0 when never. */
  readonly lastUnpacked: number;
  /** AEM has answered and refused: what the instance says about the package does not make it installed. */
  readonly refused?: boolean;
}

export interface Delivery {
  readonly file: string;
  readonly id: PackageId;
  readonly signal: AbortSignal;
  readonly onSent?: (bytes: number) => void;
}

const POLL_MS = 250;
/** So long after the beginning of an installation whose answer was lost, it may still be under way. */
const UNDER_WAY_MS = 10_000;
/** So long a package manager may be away before the instance counts as gone. */
const AWAY_MS = 60_000;
/** AEM cannot stop an installation: its answer is waited for so long after a cancellation. */
const LAST_WORDS_MS = 3_000;

/**
 * Uploads a package. When the answer is lost the instance is asked: a package of that version and size, which was not
 * there before, has arrived.
 */
export async function uploadPackage(
  manager: PackageManager,
  { file, id, signal, onSent }: Delivery,
): Promise<ListedPackage> {
  const { size } = await stat(file);
  const before = find(id, await manager.list(signal));
  try {
    await manager.upload(file, { signal, onSent });
  } catch (error) {
    if (!(error instanceof LostAnswer)) throw error;
    const after = find(id, await whenBack(manager, signal));
    if (after?.size !== size || before?.size === size)
      throw new Failure(
        'Unavailable',
        `${error.message}; ${packageLabel(id)} may not have arrived and is uploaded again`,
        { cause: error },
      );
    return after;
  }
  const uploaded = find(id, await whenBack(manager, signal));
  if (uploaded) return uploaded;
  throw new Failure(
    'Rejected',
    `${manager.name} took the upload of ${packageLabel(id)} and does not list it: the id inside the package differs`,
  );
}

/** Installs an uploaded package, once: when the answer is lost the instance is asked. @returns AEM's log */
export async function installUploaded(
  manager: PackageManager,
  uploaded: ListedPackage,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const intent = { at: Date.now(), lastUnpacked: uploaded.lastUnpacked };
  try {
    const lines = await withLastWords(signal, (late) => manager.install(uploaded.path, late));
    signal.throwIfAborted();
    return lines;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof LostAnswer)) throw error;
    if (await tookPlace(manager, uploaded, intent, signal))
      return [`${error.message}; the instance says that ${packageLabel(uploaded)} is installed`];
    throw new Failure('Unavailable', `${error.message}; ${packageLabel(uploaded)} is not installed`, {
      cause: error,
    });
  }
}

/** Whether an installation that nobody saw the end of took place. Waits while it may still be under way. */
export async function tookPlace(
  manager: PackageManager,
  id: PackageId,
  { at, lastUnpacked }: Intent,
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    const found = find(id, await whenBack(manager, signal));
    if (found && found.lastUnpacked > lastUnpacked) return true;
    if (Date.now() > at + UNDER_WAY_MS) return false;
    await pause(POLL_MS, signal);
  }
}

const find = ({ group, name, version }: PackageId, all: readonly ListedPackage[]) =>
  all.find((one) => one.group === group && one.name === name && one.version === version);

/** The list, as soon as the package manager answers again. */
async function whenBack(manager: PackageManager, signal: AbortSignal): Promise<readonly ListedPackage[]> {
  const started = Date.now();
  for (;;) {
    try {
      return await manager.list(signal);
    } catch (error) {
      const away = error instanceof Failure && error.type === 'Unavailable';
      if (!away || Date.now() > started + AWAY_MS) throw error;
    }
    await pause(POLL_MS, signal);
  }
}

/** Gives `work` a signal that fires somewhat later than `signal` does. */
async function withLastWords<T>(signal: AbortSignal, work: (late: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer = setTimeout(() => late.abort(signal.reason), LAST_WORDS_MS);
  };
  if (signal.aborted) start();
  signal.addEventListener('abort', start, { once: true });
  try {
    return await work(late.signal);
  } finally {
    signal.removeEventListener('abort', start);
    clearTimeout(timer);
  }
}
