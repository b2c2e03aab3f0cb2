import type { AemPackage, PackageId } from '../../model/artifacts.ts';
import { packageLabel } from '../../model/artifacts.ts';
import { compareVersions } from '../../model/package-version.ts';
import { Failure, messageOf } from '../failure.ts';
import { pause } from '../pause.ts';
import { bundleStates, type Bundle, type ListedPackage, type PackageManager } from './package-manager.ts';

/** What an instance has once a package has arrived on it as a whole. */
export interface Expectation {
  readonly packages: readonly PackageId[];
  /** Symbolic names. */
  readonly bundles: readonly string[];
}

/** What was there before the installation and tells what is new. */
export interface Before {
  /** Symbolic names of bundles that were not well: they are reported and block nothing. */
  readonly broken: readonly string[];
  /**
   * Nothing that the package brings can be told from what was there: only time shows that the installer has seen it.
   */
  readonly indistinct: boolean;
}

export interface SettleOptions {
  readonly signal?: AbortSignal;
  readonly limitMs?: number;
  /** Called when what is waited for changes. */
  readonly onWaiting?: (problems: readonly string[]) => void;
}

const LIMIT_MS = 10 * 60_000;
const GOOD_CHECKS = 3;
const FIRST_INTERVAL_MS = 250;
const LONGEST_INTERVAL_MS = 1_000;
/** Within this time AEM's installer notices a changed install folder. */
const NOTICED_MS = 2_000;
const NAMED_BUNDLES = 5;

/** Bundles that hardened instances stop on purpose (the list is wcm.io's, for its own waiting). */
const IGNORED_BUNDLES: ReadonlySet<string> = new Set([
  'com.day.crx.crxde-support',
  'com.adobe.granite.crx-explorer',
  'com.adobe.granite.crxde-lite',
  'org.apache.sling.jcr.webdav',
  'org.apache.sling.jcr.davex',
]);

/**
 * What an instance must have of a package, whatever its run modes: what is embedded for certain run modes only may be
 * there or not.
 */
export function expectationOf({ id, embedded, bundles, runModeSpecific }: AemPackage): Expectation {
  const specific = new Set(runModeSpecific?.packages.map(packageLabel));
  return {
    packages: [id, ...embedded.filter((inner) => !specific.has(packageLabel(inner)))],
    bundles: bundles.filter((bundle) => !runModeSpecific?.bundles.includes(bundle)),
  };
}

/** Looks at an instance before a package comes to it. */
export async function lookBefore(
  manager: PackageManager,
  { packages, bundles }: Expectation,
  signal?: AbortSignal,
): Promise<Before> {
  const there = await manager.list(signal);
  const states = await manager.bundles(signal);
  const embedded = packages.slice(1);
  return {
    broken: (await unwell(manager, states, signal)).map(({ symbolicName }) => symbolicName),
    indistinct:
      embedded.every((id) => isInstalled(id, there)) &&
      bundles.every((name) => states.some(({ symbolicName }) => symbolicName === name)) &&
      embedded.length + bundles.length > 0,
  };
}

/**
 * Waits until the instance has everything that is expected, its installer is idle and its bundles are stable, in
 * several checks one after the other. Trouble in asking counts as not settled: big packages restart what answers.
 * @returns bundles that were not well before either, with their states. @throws Failure `NotReady` at the limit
 */
export async function untilSettled(
  manager: PackageManager,
  expectation: Expectation,
  before: Before,
  { signal, limitMs = LIMIT_MS, onWaiting }: SettleOptions = {},
): Promise<readonly string[]> {
  const started = Date.now();
  const least = before.indistinct ? NOTICED_MS : 0;
  let interval = FIRST_INTERVAL_MS;
  let good = 0;
  let reported = '';
  for (;;) {
    const { problems, tolerated } = await check(manager, expectation, before, signal);
    good = problems.length === 0 ? good + 1 : 0;
    if (good >= GOOD_CHECKS && Date.now() - started >= least) return tolerated;
    if (problems.join() !== reported) onWaiting?.(problems);
    reported = problems.join();
    if (problems.length > 0 && Date.now() - started > limitMs)
      throw new Failure(
        'NotReady',
        `${manager.name} has not settled within ${Math.round(limitMs / 1000)} s: ${problems.join('; ')}`,
        { details: problems },
      );
    await pause(interval, signal);
    if (problems.length > 0) interval = Math.min(LONGEST_INTERVAL_MS, interval * 1.25);
  }
}

interface Check {
  readonly problems: readonly string[];
  readonly tolerated: readonly string[];
}

async function check(
  manager: PackageManager,
  { packages, bundles: expected }: Expectation,
  before: Before,
  signal?: AbortSignal,
): Promise<Check> {
  try {
    const status = await manager.status(signal);
    const there = await manager.list(signal);
    const bundles = await manager.bundles(signal);
    const bad = await unwell(manager, bundles, signal);
    const old = bad.filter(
      ({ symbolicName }) => before.broken.includes(symbolicName) && !expected.includes(symbolicName),
    );
    const fresh = bad.filter((bundle) => !old.includes(bundle));
    return {
      problems: [
        ...(status.finished ? [] : [`the installer is working on ${status.itemCount} items`]),
        ...packages
          .filter((id) => !isInstalled(id, there))
          .map((id) => `package ${packageLabel(id)} is not installed`),
        ...expected
          .filter((name) => !bundles.some(({ symbolicName }) => symbolicName === name))
          .map((name) => `bundle ${name} is not there`),
        ...(await Promise.all(
          fresh.map((bundle, index) => describe(manager, bundle, index < NAMED_BUNDLES, signal)),
        )),
      ],
      tolerated: old.map(words),
    };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return { problems: [messageOf(error)], tolerated: [] };
  }
}

/** An installer leaves a newer version of a package where it is. */
function isInstalled({ group, name, version }: PackageId, there: readonly ListedPackage[]): boolean {
  return there.some(
    (other) =>
      other.lastUnpacked > 0 &&
      other.group === group &&
      other.name === name &&
      compareVersions(other.version, version) >= 0,
  );
}

async function unwell(
  manager: PackageManager,
  bundles: readonly Bundle[],
  signal?: AbortSignal,
): Promise<Bundle[]> {
  const found: Bundle[] = [];
  for (const bundle of bundles) {
    const { fragment, state, symbolicName, id } = bundle;
    if (state === (fragment ? bundleStates.resolved : bundleStates.active)) continue;
    if (IGNORED_BUNDLES.has(symbolicName)) continue;
    if (state === bundleStates.starting && (await manager.bundle(id, signal)).lazy) continue;
    found.push(bundle);
  }
  return found;
}

const words = ({ symbolicName, version, stateName }: Bundle) =>
  `bundle ${symbolicName} ${version} is ${stateName}`;

async function describe(
  manager: PackageManager,
  bundle: Bundle,
  inFull: boolean,
  signal?: AbortSignal,
): Promise<string> {
  const problems = inFull ? (await manager.bundle(bundle.id, signal)).problems : [];
  return problems.length > 0 ? `${words(bundle)} (${problems.join(', ')})` : words(bundle);
}
