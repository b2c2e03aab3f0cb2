import { stat } from 'node:fs/promises';
import type { PackageId } from '../../model/artifacts.ts';
import { packageLabel } from '../../model/artifacts.ts';
import { Failure } from '../failure.ts';
import { pause } from '../pause.ts';
import { unlessSilent } from '../silence.ts';
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
  /** The attempt lived to see that it did not take place: a later one has nothing to wait for. */
  readonly ended?: boolean;
}

export interface Delivery {
  readonly file: string;
  readonly id: PackageId;
  readonly signal: AbortSignal;
  readonly onSent?: (bytes: number) => void;
  /** So long an instance may take nothing of an upload, or not answer it; ten minutes when absent. */
  readonly silenceMs?: number;
}

/** Nothing else ends an upload to an instance that hangs: AEM answers when it has stored all of it. */
const SILENCE_MS = 10 * 60_000;
const POLL_MS = 250;
/** So long at least after its answer was lost, or after the instance came back, an installation may be under way. */
const UNDER_WAY_MS = 10_000;
/** So long after its beginning the installation of an attempt that died may be under way. */
const UNSEEN_MS = 5 * 60_000;
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
  { file, id, signal, onSent, silenceMs = SILENCE_MS }: Delivery,
): Promise<ListedPackage> {
  const { size } = await stat(file);
  const before = find(id, await manager.list(signal));
  try {
    const stuck = () =>
      new LostAnswer(
        `${manager.name} has neither taken nor answered any of an upload for ${silenceMs / 1000} s`,
      );
    await unlessSilent(silenceMs, signal, stuck, (limited, spoke) => {
      const onPiece = (bytes: number) => {
        spoke();
        onSent?.(bytes);
      };
      return manager.upload(file, { signal: limited, onSent: onPiece });
    });
  } catch (error) {
    if (!(error instanceof LostAnswer)) throw error;
    const after = find(id, (await whenBack(manager, signal)).packages);
    if (after?.size !== size || before?.size === size)
      throw new Failure(
        'Unavailable',
        `${error.message}; ${packageLabel(id)} may not have arrived and is uploaded again`,
        { cause: error },
      );
    return after;
  }
  const { packages, wasAway } = await whenBack(manager, signal);
  const uploaded = find(id, packages);
  if (uploaded) return uploaded;
  const missing = `${manager.name} took the upload of ${packageLabel(id)} and does not list it`;
  // What an instance has acknowledged it may not have written yet when it dies.
  if (wasAway)
    throw new Failure('Unavailable', `${missing}: it was restarted meanwhile, and the upload is repeated`);
  throw new Failure('Rejected', `${missing}: the id inside the package differs`);
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
    // What was answered after minutes may be cut off by something on the way: it gets as long again.
    const limitMs = Math.max(UNDER_WAY_MS, Date.now() - intent.at);
    if (await arrives(manager, uploaded, intent, { limitMs, signal }))
      return [`${error.message}; the instance says that ${packageLabel(uploaded)} is installed`];
    throw new Failure('Unavailable', `${error.message}; ${packageLabel(uploaded)} is not installed`, {
      cause: error,
    });
  }
}

/**
 * Whether the installation of an earlier attempt took place. Of an attempt that died nobody knows how its installation
 * ended: it is waited for while it may be under way.
 */
export async function tookPlace(
  manager: PackageManager,
  id: PackageId,
  intent: Intent,
  options: { readonly signal: AbortSignal; readonly onWaiting: () => void },
): Promise<boolean> {
  if (intent.refused) return false;
  const limitMs = intent.ended ? 0 : intent.at + UNSEEN_MS - Date.now();
  return arrives(manager, id, intent, { ...options, limitMs });
}

interface Arrival {
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly onWaiting?: () => void;
}

/** Waits for the date of an installation. */
async function arrives(
  manager: PackageManager,
  id: PackageId,
  { lastUnpacked }: Intent,
  { limitMs, signal, onWaiting }: Arrival,
): Promise<boolean> {
  let deadline = Date.now() + limitMs;
  for (;;) {
    const { packages, wasAway } = await whenBack(manager, signal);
    const found = find(id, packages);
    if (found && found.lastUnpacked > lastUnpacked) return true;
    // An instance that was restarted has dropped what it was doing.
    if (wasAway) deadline = Math.min(deadline, Date.now() + UNDER_WAY_MS);
    if (Date.now() >= deadline) return false;
    onWaiting?.();
    await pause(POLL_MS, signal);
  }
}

const find = ({ group, name, version }: PackageId, all: readonly ListedPackage[]) =>
  all.find((one) => one.group === group && one.name === name && one.version === version);

/** The list, as soon as the package manager answers again, and whether it had to be waited for. */
async function whenBack(
  manager: PackageManager,
  signal: AbortSignal,
): Promise<{ packages: readonly ListedPackage[]; wasAway: boolean }> {
  const started = Date.now();
  for (let wasAway = false; ; wasAway = true) {
    try {
      return { packages: await manager.list(signal), wasAway };
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
