import type { AemArtifact, Artifact, PackageDependency, PackageId } from './artifacts.ts';
import { packageLabel } from './artifacts.ts';
import { inRange, parseRange } from './package-version.ts';

/** The same zip at two places of a build is one artifact: the first one stays. */
export function distinctArtifacts<T extends Artifact>(artifacts: readonly T[]): readonly T[] {
  const seen = new Set<string>();
  return artifacts.filter(({ file }) => !seen.has(file.sha256) && seen.add(file.sha256));
}

export interface PackageOrder {
  /** Every distinct artifact, in an order for one instance after the other; of use only without problems. */
  readonly order: readonly AemArtifact[];
  readonly problems: readonly string[];
}

/**
 * Puts packages behind the packages that they depend on; apart from that the given order stays. A package embedded in
 * another one is there once that one is. Dependencies on what is not among the artifacts have no influence: whether an
 * instance holds them is for `missingDependencies` to say.
 */
export function orderPackages(artifacts: readonly AemArtifact[]): PackageOrder {
  let waiting = distinctArtifacts(artifacts);
  const problems = conflicts(waiting);
  const order: AemArtifact[] = [];
  const all = waiting;
  const providers = new Map(waiting.map((artifact) => [artifact, providersFor(artifact, all)]));
  /** For each unmet dependency the artifacts, any of which would meet it. */
  const unmet = (artifact: AemArtifact) =>
    providers.get(artifact)!.filter((choice) => !choice.some((provider) => order.includes(provider)));

  for (;;) {
    const next = waiting.find((artifact) => unmet(artifact).length === 0);
    if (!next) break;
    order.push(next);
    waiting = waiting.filter((artifact) => artifact !== next);
  }
  const ahead = new Map(waiting.map((artifact) => [artifact, unmet(artifact).flat()]));
  for (const cycle of cycles(ahead))
    problems.push(`packages depend on each other in a circle: ${cycle.map(label).sort().join(', ')}`);
  return { order: [...order, ...waiting], problems };
}

/**
 * Dependencies that neither the other artifacts, with what is embedded in them, nor an instance satisfies: one
 * sentence each, with what is there instead.
 * @param installed the packages that are installed on the instance
 */
export function missingDependencies(
  artifacts: readonly AemArtifact[],
  installed: readonly PackageId[],
): readonly string[] {
  return distinctArtifacts(artifacts).flatMap((artifact, _, all) =>
    artifact.package.dependencies
      .filter((dependency) => !isSatisfied(dependency, artifact, all, installed))
      .map((dependency) => describeMissing(dependency, artifact, all, installed)),
  );
}

const label = ({ package: { id } }: AemArtifact) => packageLabel(id);
const isNamed = (id: PackageId, { group, name }: { group: string; name: string }) =>
  id.group === group && id.name === name;

/** Whether a package of this id is what a dependency asks for. */
export function satisfies(id: PackageId, dependency: PackageDependency): boolean {
  const range = parseRange(dependency.range);
  return isNamed(id, dependency) && !('error' in range) && inRange(id.version, range);
}

const provides = (artifact: AemArtifact, dependency: PackageDependency) =>
  [artifact.package.id, ...artifact.package.embedded].some((id) => satisfies(id, dependency));

/** A package cannot meet its own dependencies: AEM asks for them before it unpacks what is embedded. */
const othersProviding = (
  dependency: PackageDependency,
  artifact: AemArtifact,
  all: readonly AemArtifact[],
): readonly AemArtifact[] => all.filter((other) => other !== artifact && provides(other, dependency));

const providersFor = (artifact: AemArtifact, all: readonly AemArtifact[]) =>
  artifact.package.dependencies
    .map((dependency) => othersProviding(dependency, artifact, all))
    .filter((choice) => choice.length > 0);

function isSatisfied(
  dependency: PackageDependency,
  artifact: AemArtifact,
  all: readonly AemArtifact[],
  installed: readonly PackageId[],
): boolean {
  return (
    installed.some((id) => satisfies(id, dependency)) || othersProviding(dependency, artifact, all).length > 0
  );
}

function conflicts(artifacts: readonly AemArtifact[]): string[] {
  return artifacts.flatMap((artifact, index) =>
    artifacts
      .slice(0, index)
      .filter((other) => isNamed(other.package.id, artifact.package.id))
      .map((other) => {
        const [first, second] = [`${label(other)} (${other.path})`, `${label(artifact)} (${artifact.path})`];
        return label(other) === label(artifact)
          ? `two different zips are the same package: ${first} and ${second}`
          : `two versions of the same package: ${first} and ${second}`;
      }),
  );
}

/** The groups of artifacts that each reach one another. */
function cycles(ahead: ReadonlyMap<AemArtifact, readonly AemArtifact[]>): AemArtifact[][] {
  const reachable = new Map(
    [...ahead.keys()].map((artifact) => {
      const reached = new Set<AemArtifact>();
      const visit = (from: AemArtifact) => {
        for (const next of ahead.get(from) ?? []) if (!reached.has(next)) visit((reached.add(next), next));
      };
      visit(artifact);
      return [artifact, reached];
    }),
  );
  const found: AemArtifact[][] = [];
  for (const [artifact, reached] of reachable) {
    if (!reached.has(artifact) || found.some((cycle) => cycle.includes(artifact))) continue;
    found.push([...reached].filter((other) => reachable.get(other)!.has(artifact)));
  }
  return found;
}

/** Makes a blank visible that a careless list of dependencies has put into a name. */
const visible = (text: string) => (/\s/.test(text) ? JSON.stringify(text) : text);

function describeMissing(
  dependency: PackageDependency,
  artifact: AemArtifact,
  all: readonly AemArtifact[],
  installed: readonly PackageId[],
): string {
  const { group, name, range, requiredBy } = dependency;
  const wanted =
    range === '' ? 'any version' : `version ${range.includes(',') ? range : `${range} or newer`}`;
  const there = [
    ...all.flatMap((other) => [
      ...(isNamed(other.package.id, dependency) ? [`artifact ${label(other)}`] : []),
      ...other.package.embedded
        .filter((id) => isNamed(id, dependency))
        .map((id) => `${packageLabel(id)} embedded in ${label(other)}`),
    ]),
    ...installed.filter((id) => isNamed(id, dependency)).map((id) => `${packageLabel(id)} on the instance`),
  ];
  const who = `package ${label(artifact)}${requiredBy ? ` (its embedded ${requiredBy})` : ''}`;
  const instead = there.length
    ? `there is only ${there.join(', ')}`
    : 'neither the artifacts nor the instance hold it';
  return `${who} needs ${visible(`${group}:${name}`)}, ${wanted}: ${instead}`;
}
