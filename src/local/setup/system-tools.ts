import { Failure } from '../../systems/failure.ts';
import { isExecutable, onPath } from './on-path.ts';
import { installPackages, isDebianRoot } from './debian.ts';
import { systemTools, type SetUp, type SystemToolName } from './tool.ts';

/**
 * Paths of programs that the operating system's packages bring: an explicit setting, the PATH, and on Debian or
 * Ubuntu as root the missing packages are installed.
 * @throws Failure `Missing` that names everything that is missing and what to install
 */
export async function findSystemTools(
  names: readonly SystemToolName[],
  setUp: SetUp,
): Promise<Map<SystemToolName, string>> {
  const found = new Map<SystemToolName, string>();
  const missing = names.filter((name) => !look(name, setUp, found));
  if (missing.length > 0) {
    const packages = [...new Set(missing.flatMap((name) => systemTools[name].packages))];
    if (!(await isDebianRoot())) throw notFound(missing, packages);
    await installPackages(packages, setUp);
    const still = missing.filter((name) => !look(name, setUp, found));
    if (still.length > 0) throw notFound(still, packages);
  }
  return found;
}

function look(name: SystemToolName, setUp: SetUp, found: Map<SystemToolName, string>): boolean {
  const { setting, programs } = systemTools[name];
  const set = setUp.env[setting];
  if (set && !isExecutable(set))
    throw new Failure('InvalidInput', `${setting} is ${set}: there is no program that can be run`);
  const path = set || programs.map((program) => onPath(program, setUp.env.PATH)).find(Boolean);
  if (!path) return false;
  setUp.report(`${name}: ${path} (from ${set ? setting : 'the PATH'})`);
  found.set(name, path);
  return true;
}

function notFound(names: readonly SystemToolName[], packages: readonly string[]): Failure {
  const things = names.map((name) => {
    const { programs, setting } = systemTools[name];
    return `${programs.join(' or ')} (or set ${setting})`;
  });
  return new Failure(
    'Missing',
    `these programs are missing: ${things.join(', ')}. On Debian or Ubuntu run as root: ` +
      `apt-get install --no-install-recommends ${packages.join(' ')}`,
  );
}
