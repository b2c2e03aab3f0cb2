import { readEntry } from '../../systems/zip/read.ts';
import type { BundleRecord } from './store.ts';

const INSTALLED = 2;
const RESOLVED = 4;
const STARTING = 8;
const ACTIVE = 32;
const stateNames = new Map([
  [INSTALLED, 'Installed'],
  [RESOLVED, 'Resolved'],
  [STARTING, 'Starting'],
  [ACTIVE, 'Active'],
]);
const FIRST_ID = 600;

const own = (id: number, symbolicName: string, rest: Partial<BundleRecord> = {}): BundleRecord => ({
  id,
  symbolicName,
  version: '1.0.0',
  fragment: false,
  lazy: false,
  imports: [],
  exports: [],
  capabilitiesNeeded: [],
  capabilitiesGiven: [],
  state: ACTIVE,
  ...rest,
});

/** What every instance has: a fragment and a lazily activated bundle among them, which are well although not active. */
const system: readonly BundleRecord[] = [
  own(0, 'org.apache.felix.framework'),
  own(1, 'org.apache.felix.framework.security', { fragment: true, state: RESOLVED }),
  own(2, 'org.apache.sling.installer.core'),
  own(3, 'org.apache.sling.installer.provider.jcr'),
  own(4, 'org.apache.jackrabbit.vault'),
  own(5, 'com.day.crx.packaging.packmgr'),
  own(6, 'com.adobe.granite.workflow.console', { lazy: true, state: STARTING }),
];

/** Reads the manifest of a bundle; undefined when the jar is none. */
export async function describeBundle(jar: string): Promise<Omit<BundleRecord, 'id' | 'state'> | undefined> {
  const text = await readEntry(jar, 'META-INF/MANIFEST.MF', 1_000_000);
  const headers = new Map(
    [...(text?.toString('utf8') ?? '').replace(/\r?\n /g, '').matchAll(/^([\w-]+): (.*?)\r?$/gm)].map(
      ([, name, value]) => [name!.toLowerCase(), value!],
    ),
  );
  const names = (header: string) => clauses(headers.get(header) ?? '');
  const symbolicName = clauses(headers.get('bundle-symbolicname') ?? '')[0];
  if (!symbolicName) return undefined;
  return {
    symbolicName,
    version: headers.get('bundle-version') ?? '0.0.0',
    fragment: headers.has('fragment-host'),
    lazy: /^lazy\b/.test(headers.get('bundle-activationpolicy') ?? ''),
    imports: names('import-package'),
    exports: names('export-package'),
    capabilitiesNeeded: names('require-capability'),
    capabilitiesGiven: names('provide-capability'),
  };
}

/** `a;version="[1,2)",b;resolution:=optional` names a: what is optional is not needed. */
function clauses(header: string): string[] {
  return (header.match(/(?:"[^"]*"|[^,"])+/g) ?? [])
    .filter((clause) => !/resolution:="?optional/.test(clause))
    .map((clause) => clause.split(';')[0]!.trim())
    .filter((name) => name !== '');
}

/** A package that AEM itself does not export, so that a test can have a bundle which never resolves. */
const unknownPackage = (name: string) => name.startsWith('com.nosuch.');
const unknownCapability = (name: string) => !name.startsWith('osgi.');

function lacking(bundle: BundleRecord, others: readonly BundleRecord[]): string[] {
  const given = (name: string, of: 'exports' | 'capabilitiesGiven') =>
    others.some((other) => other[of].includes(name));
  return [
    ...bundle.imports.filter((name) => unknownPackage(name) && !given(name, 'exports')),
    ...bundle.capabilitiesNeeded.filter(
      (name) => unknownCapability(name) && !given(name, 'capabilitiesGiven'),
    ),
  ];
}

/** Gives every bundle the state that the framework would bring it to: what does not resolve stays Installed. */
export function resolveBundles(bundles: readonly BundleRecord[]): void {
  let usable = [...bundles];
  for (let before = -1; before !== usable.length;) {
    before = usable.length;
    usable = usable.filter((bundle) => lacking(bundle, usable).length === 0);
  }
  for (const bundle of bundles) {
    if (!usable.includes(bundle)) bundle.state = INSTALLED;
    else bundle.state = bundle.fragment ? RESOLVED : bundle.lazy ? STARTING : ACTIVE;
  }
}

/** Adds a bundle or updates the one of that name, which keeps its id. It is Installed until it is resolved. */
export function putBundle(bundles: BundleRecord[], described: Omit<BundleRecord, 'id' | 'state'>): void {
  const at = bundles.findIndex(({ symbolicName }) => symbolicName === described.symbolicName);
  const id = at < 0 ? Math.max(FIRST_ID - 1, ...bundles.map((bundle) => bundle.id)) + 1 : bundles[at]!.id;
  bundles.splice(at < 0 ? bundles.length : at, at < 0 ? 0 : 1, { ...described, id, state: INSTALLED });
}

/** The answer of `/system/console/bundles.json`, or of `/system/console/bundles/<id>.json` with its details. */
export function bundlesJson(installed: readonly BundleRecord[], id?: number): object | undefined {
  const all = [...system, ...installed];
  const count = (test: (bundle: BundleRecord) => boolean) => all.filter(test).length;
  const active = count(({ state }) => state === ACTIVE);
  const fragments = count(({ state, fragment }) => fragment && state === RESOLVED);
  const resolved = count(({ state, fragment }) => !fragment && state === RESOLVED);
  const unresolved = count(({ state }) => state === INSTALLED);
  const shown = id === undefined ? all : all.filter((bundle) => bundle.id === id);
  if (shown.length === 0) return undefined;
  return {
    status: `Bundle information: ${all.length} bundles in total, ${active} bundles active, ${fragments} bundles active fragments, ${unresolved} bundles installed.`,
    s: [all.length, active, fragments, resolved, unresolved],
    data: shown.map((bundle) => ({
      id: bundle.id,
      name: bundle.symbolicName,
      fragment: bundle.fragment,
      stateRaw: bundle.state,
      state: bundle.fragment && bundle.state === RESOLVED ? 'Fragment' : stateNames.get(bundle.state),
      version: bundle.version,
      symbolicName: bundle.symbolicName,
      category: '',
      ...(id !== undefined && { props: details(bundle, all) }),
    })),
  };
}

function details(bundle: BundleRecord, all: readonly BundleRecord[]): object[] {
  const missing = lacking(bundle, all);
  return [
    { key: 'Symbolic Name', value: bundle.symbolicName },
    { key: 'Version', value: bundle.version },
    { key: 'Imported Packages', value: missing.map((name) => `ERROR: ${name} -- Cannot be resolved`) },
    {
      key: 'Manifest Headers',
      value: [
        `Bundle-SymbolicName: ${bundle.symbolicName}`,
        ...(bundle.lazy ? ['Bundle-ActivationPolicy: lazy'] : []),
      ],
    },
  ];
}
