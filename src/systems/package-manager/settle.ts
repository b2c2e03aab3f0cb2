import type { AemPackage, PackageId } from '../../model/artifacts.ts';
import { packageLabel } from '../../model/artifacts.ts';
import { compareVersions } from '../../model/package-version.ts';
import { Failure, messageOf } from '../failure.ts';
import { pause } from '../pause.ts';
import {
  bundleStates,
  type Bundle,
  type InstallerStatus,
  type ListedPackage,
  type PackageManager,
} from './package-manager.ts';

/** What an instance has once a package has arrived on it as a whole. */
export interface Expectation {
  readonly packages: readonly PackageId[];
  /** Symbolic names. */
  readonly bundles: readonly string[];
  /** Nothing in it is for the installer: it has arrived once the package manager says so. */
  readonly contentOnly?: boolean;
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
  readonly standstillMs?: number;
  /** Called when what is waited for changes. */
  readonly onWaiting?: (problems: readonly string[]) => void;
}

const LIMIT_MS = 10 * 60_000;
/** So long an idle installer may leave everything as it is: nobody is left who would change it. */
const STANDSTILL_MS = 30_000;
const GOOD_CHECKS = 3;
const INTERVAL_MS = 250;
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
export function expectationOf({
  id,
  packageType,
  embedded,
  bundles,
  runModeSpecific,
}: AemPackage): Expectation {
  const specific = new Set(runModeSpecific?.packages.map(packageLabel));
  return {
    packages: [id, ...embedded.filter((inner) => !specific.has(packageLabel(inner)))],
    bundles: bundles.filter((bundle) => !runModeSpecific?.bundles.includes(bundle)),
    // A package of this type holds nothing below /apps and /libs, where the installer looks.
    contentOnly: packageType === 'content' && embedded.length + bundles.length === 0,
  };
}

/** Looks at an instance before a package comes to it. */
export async function lookBefore(
  manager: PackageManager,
  { packages, bundles }: Expectation,
  signal?: AbortSignal,
): Promise<Before> {
  const [there, states] = await Promise.all([manager.list(signal), manager.bundles(signal)]);
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
 * @returns bundles that were not well before either, with their states. @throws Failure `Damaged` when the instance has
 * come to a standstill without being as expected, `NotReady` at the limit
 */
export async function untilSettled(
  manager: PackageManager,
  expectation: Expectation,
  before: Before,
  { signal, limitMs = LIMIT_MS, standstillMs = STANDSTILL_MS, onWaiting }: SettleOptions = {},
): Promise<readonly string[]> {
  const started = Date.now();
  const least = before.indistinct ? NOTICED_MS : 0;
  const enough = expectation.contentOnly ? 1 : GOOD_CHECKS;
  let interval = INTERVAL_MS;
  let good = 0;
  let reported = '';
  let changed = started;
  for (;;) {
    const { problems, tolerated, idle, busy } = await check(manager, expectation, before, signal);
    good = problems.length === 0 ? good + 1 : 0;
    if (good >= enough && Date.now() - started >= least) return tolerated;
    if (problems.join() !== reported) onWaiting?.(problems);
    if (problems.join() !== reported || !idle) changed = Date.now();
    reported = problems.join();
    if (problems.length > 0 && Date.now() - changed > standstillMs)
      throw new Failure(
        'Damaged',
        `${manager.name} has come to a standstill (${Math.round(standstillMs / 1000)} s): ${problems.join('; ')}`,
        { details: problems },
      );
    if (problems.length > 0 && Date.now() - started > limitMs)
      throw new Failure(
        'NotReady',
        `${manager.name} has not settled within ${Math.round(limitMs / 1000)} s: ${problems.join('; ')}`,
        { details: problems },
      );
    // Only where the whole instance is looked at in vain, which costs it something, the next look may come later.
    interval = problems.length === 0 || busy ? INTERVAL_MS : Math.min(LONGEST_INTERVAL_MS, interval * 1.25);
    await pause(interval, signal);
  }
}

interface Check {
  readonly problems: readonly string[];
  readonly tolerated: readonly string[];
  /** It is as it will stay: the installer has nothing to do, and no bundle is on its way. */
  readonly idle: boolean;
  /** The installer has work: nothing else was asked. */
  readonly busy: boolean;
}

async function check(
  manager: PackageManager,
  { packages, bundles: expected }: Expectation,
  before: Before,
  signal?: AbortSignal,
): Promise<Check> {
  try {
    const status = await manager.status(signal);
    if (!status.finished) {
      const problems = [`the installer is working on ${status.itemCount} items`];
      return { problems, tolerated: [], idle: false, busy: true };
    }
    const [there, bundles] = await Promise.all([manager.list(signal), manager.bundles(signal)]);
    const bad = await unwell(manager, bundles, signal);
    const old = bad.filter(
      ({ symbolicName }) => before.broken.includes(symbolicName) && !expected.includes(symbolicName),
    );
    const fresh = bad.filter((bundle) => !old.includes(bundle));
    return {
      problems: [
        ...packages
          .filter((id) => !isInstalled(id, there))
          .map((id) => `package ${packageLabel(id)} is not installed${reason(id, status)}`),
        ...expected
          .filter((name) => !bundles.some(({ symbolicName }) => symbolicName === name))
          .map((name) => `bundle ${name} is not there`),
        ...(await Promise.all(
          fresh.map((bundle, index) => describe(manager, bundle, index < NAMED_BUNDLES, signal)),
        )),
      ],
      tolerated: old.map(bundleInWords),
      idle: fresh.every(({ state }) => state !== bundleStates.starting && state !== bundleStates.stopping),
      busy: false,
    };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return { problems: [messageOf(error)], tolerated: [], idle: false, busy: false };
  }
}

function reason({ group, name }: PackageId, { failures = [] }: InstallerStatus): string {
  const found = failures.find((failure) => failure.name === `${group}:${name}`);
  return found ? ` (${found.reason})` : '';
}

/** An installer leaves a newer version of a package where it is. */
export function isInstalled({ group, name, version }: PackageId, there: readonly ListedPackage[]): boolean {
  return there.some(
    (other) =>
      other.lastUnpacked > 0 &&
      other.group === group &&
      other.name === name &&
      compareVersions(other.version, version) >= 0,
  );
}

/** Bundles that do not run, of those that should. */
export async function unwell(
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

export const bundleInWords = ({ symbolicName, version, stateName }: Bundle) =>
  `bundle ${symbolicName} ${version} is ${stateName}`;

async function describe(
  manager: PackageManager,
  bundle: Bundle,
  inFull: boolean,
  signal?: AbortSignal,
): Promise<string> {
  const problems = inFull ? (await manager.bundle(bundle.id, signal)).problems : [];
  return problems.length > 0 ? `${bundleInWords(bundle)} (${problems.join(', ')})` : bundleInWords(bundle);
}
