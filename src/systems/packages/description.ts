import type { AemPackage, PackageDependency, PackageId } from '../../model/artifacts.ts';
import { parseDependencies, parseRange } from '../../model/package-version.ts';
import { parseManifest } from './manifest.ts';
import { parseProperties } from './properties.ts';

/** What a package says of itself, without what is embedded in it. */
export interface Description {
  readonly id: PackageId;
  readonly dependencies: readonly PackageDependency[];
  readonly packageType?: AemPackage['packageType'];
  /** The property `cloudManagerTarget`. */
  readonly target?: string;
}

/**
 * Reads the two files in which a package describes itself. What properties.xml leaves out is taken from the manifest.
 * @throws Error saying what is wrong
 */
export function describePackage(propertiesXml: Buffer, manifestFile: Buffer | undefined): Description {
  const properties = parseProperties(propertiesXml);
  const manifest = manifestFile ? parseManifest(manifestFile) : new Map<string, string>();
  const type = (properties.get('packageType') ?? manifest.get('content-package-type'))?.toLowerCase();
  const dependencies = properties.get('dependencies') ?? manifest.get('content-package-dependencies') ?? '';
  return {
    id: readId(properties, manifest),
    dependencies: parseDependencies(dependencies).map(checkDependency),
    ...(isPackageType(type) && { packageType: type }),
    ...(properties.has('cloudManagerTarget') && { target: properties.get('cloudManagerTarget') }),
  };
}

const packageTypes = ['application', 'content', 'container', 'mixed'] as const;
const isPackageType = (type: string | undefined): type is (typeof packageTypes)[number] =>
  packageTypes.some((known) => known === type);

function readId(properties: Map<string, string>, manifest: Map<string, string>): PackageId {
  const inManifest = manifest.get('content-package-id');
  const useManifest = inManifest && !(properties.has('group') && properties.has('name'));
  const [group = '', name = '', version = ''] = useManifest
    ? inManifest.split(':')
    : ['group', 'name', 'version'].map((key) => properties.get(key) ?? '');
  const checked = { group: group.replace(/^\/etc\/packages\/?/, ''), name, version };
  checkId(checked);
  return checked;
}

/** The id becomes a path in the repository and part of requests: nothing may change its meaning there. */
function checkId({ group, name, version }: PackageId): void {
  const refuse = (field: string, value: string) => {
    throw new Error(`its ${field} ${shown(value)} is not one that AEM can store`);
  };
  if (name === '') throw new Error('it has no name, neither in properties.xml nor in its manifest');
  if (!isSegment(name)) refuse('name', name);
  if (group !== '' && !group.split('/').every(isSegment)) refuse('group', group);
  if (version !== '' && !isSegment(version)) refuse('version', version);
}

const MAX_LENGTH = 200;

const isSegment = (text: string) =>
  text.length <= MAX_LENGTH &&
  text.trim() === text &&
  !['', '.', '..'].includes(text) &&
  !/[\p{C}/\\:[\]|*?#"<>]/u.test(text);

const shown = (text: string) => JSON.stringify(text.slice(0, MAX_LENGTH));

function checkDependency(dependency: PackageDependency): PackageDependency {
  const { group, name, range } = dependency;
  const label = shown([group, name, range].join(':'));
  if (name === '') throw new Error(`its dependency ${label} has no name`);
  if ([group, name, range].some((text) => text.length > MAX_LENGTH || /\p{Cc}/u.test(text.trim())))
    throw new Error(
      `its dependency ${label} is longer than ${MAX_LENGTH} characters or holds control characters`,
    );
  const parsed = parseRange(range);
  if ('error' in parsed) throw new Error(`its dependency ${label} is wrong: ${parsed.error}`);
  return dependency;
}
