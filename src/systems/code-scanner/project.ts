import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { z } from 'zod';
import type { StoredFile } from '../../model/artifacts.ts';
import { Failure } from '../failure.ts';
import type { Storage } from '../storage/storage.ts';
import { extractZip } from '../zip/extract.ts';
import type { BuiltProject, JavaModule } from './scanner.ts';

/** Where the build lets Maven write the paths of a module's libraries, relative to the module. */
export const LIBRARIES_FILE = 'target/fairway-libraries.txt';

const MANIFEST = 'fairway-scan.json';
/** Where Maven has the sources of a module. */
const SOURCES = 'src/main/java/';
const LONGEST_LIST = 1024 * 1024;

const paths = z.array(z.string());
const manifestSchema = z.strictObject({
  modules: z.array(z.strictObject({ path: z.string(), sources: paths, tests: paths, executions: paths })),
  libraries: z.array(
    z.strictObject({ key: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/), size: z.number() }),
  ),
});

export interface Kept {
  readonly storage: Storage;
  readonly programId: string;
  /** Key of the archive. */
  readonly key: string;
  /** Maven's local repository: only what is in there is a library. */
  readonly mavenRepository: string;
}

/**
 * Keeps in storage what an analysis needs of a built project: sources, classes, test results and coverage data of the
 * modules with Java code in one archive, and their libraries once per program.
 * @returns undefined when there is no Java code
 */
export async function keepProject(
  root: string,
  to: Kept,
  signal?: AbortSignal,
): Promise<StoredFile | undefined> {
  const files = await filesOf(root);
  const modules = modulesIn(files);
  if (modules.length === 0) return undefined;
  const libraries = await keepLibraries(root, modules, to, signal);
  const zip = new ZipFile();
  for (const { path } of modules)
    for (const file of files.filter(neededOf(path))) zip.addFile(join(root, file), file);
  zip.addBuffer(Buffer.from(JSON.stringify({ modules, libraries })), MANIFEST);
  zip.end();
  return to.storage.put(to.key, zip.outputStream as Readable);
}

/** Brings a project back from storage, to a folder `project` and a folder `libraries` in `work`. */
export async function restoreProject(
  archive: StoredFile,
  work: string,
  storage: Storage,
  signal?: AbortSignal,
): Promise<Omit<BuiltProject, 'tests'>> {
  const zip = join(work, 'project.zip');
  const root = join(work, 'project');
  await storage.fetch(archive, zip, signal);
  await extractZip(zip, root, signal);
  await rm(zip);
  const text = await readFile(join(root, MANIFEST), 'utf8');
  const manifest = manifestSchema.parse(JSON.parse(text));
  const folder = join(work, 'libraries');
  await mkdir(folder);
  const libraries: string[] = [];
  for (const library of manifest.libraries) {
    const path = join(folder, `${library.sha256}.jar`);
    await storage.fetch(library, path, signal);
    libraries.push(path);
  }
  return { work, root, modules: manifest.modules, libraries };
}

const inModule = (path: string) => (path === '.' ? '' : `${path}/`);

function modulesIn(files: readonly string[]): JavaModule[] {
  const found = files.flatMap((file) => /^(?:(.*)\/)?target\/classes\/.*\.class$/.exec(file)?.slice(1) ?? []);
  const below = (path: string, folder: string, ending: string) =>
    files.filter((file) => file.startsWith(`${inModule(path)}${folder}/`) && file.endsWith(ending));
  return [...new Set(found.map((path) => path ?? '.'))].sort().map((path) => ({
    path,
    sources: below(path, 'src/main/java', '.java'),
    tests: below(path, 'src/test/java', '.java'),
    executions: below(path, 'target', '.exec'),
  }));
}

const neededOf = (path: string) => {
  const start = inModule(path);
  return (file: string) =>
    file.startsWith(start) &&
    /^(src\/(main|test)\/java\/.*\.java|target\/classes\/.*\.class|target\/.*\.exec|target\/surefire-reports\/TEST-[^/]*\.xml)$/.test(
      file.slice(start.length),
    );
};

/** Links are not followed: a build could point them at any file of this machine. */
async function filesOf(root: string, below = ''): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  const lists = entries.map(async (entry) => {
    const path = below ? `${below}/${entry.name}` : entry.name;
    if (entry.isFile()) return [path];
    return entry.isDirectory() && !['.git', 'node_modules'].includes(entry.name) ? filesOf(root, path) : [];
  });
  return (await Promise.all(lists)).flat().sort();
}

/** The same library is in storage once per program, whichever execution brought it. */
async function keepLibraries(
  root: string,
  modules: readonly JavaModule[],
  { storage, programId, mavenRepository }: Kept,
  signal?: AbortSignal,
): Promise<StoredFile[]> {
  const listed = await Promise.all(
    modules.map(({ path }) => readFile(join(root, path, LIBRARIES_FILE), 'utf8').catch(() => '')),
  );
  const repository = `${await realpath(mavenRepository)}${sep}`;
  const kept = new Map<string, StoredFile>();
  for (const path of new Set(listed.flatMap((text) => text.slice(0, LONGEST_LIST).trim().split(/[:\n]/)))) {
    signal?.throwIfAborted();
    if (!path.endsWith('.jar')) continue;
    // The file was written while code of the repository ran: it may name anything.
    const real = await realpath(resolve(path)).catch(() => '');
    if (!real.startsWith(repository)) continue;
    const file = await sha256Of(real);
    const key = `${programId}/libraries/${file.sha256}.jar`;
    if ((await storage.size(key)) !== file.size) await storage.put(key, createReadStream(real));
    kept.set(key, { key, ...file });
  }
  return [...kept.values()];
}

async function sha256Of(path: string): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
    }
  });
  return { sha256: hash.digest('hex'), size };
}

/** Paths of a module's classes, absolute. */
export const classesOf = ({ root, modules }: BuiltProject): readonly string[] =>
  modules.map(({ path }) => join(root, path, 'target/classes'));

/** Sources of the code that is deployed, absolute. */
export const sourcesOf = ({ root, modules }: BuiltProject): readonly string[] =>
  modules.flatMap(({ sources }) => sources.map((file) => join(root, file)));

/** Sources by their path below `src/main/java`, as class files and reports name them; values are relative to the root. */
export const sourcesByPackage = (modules: readonly JavaModule[]): ReadonlyMap<string, string> =>
  new Map(
    modules.flatMap(({ sources }) =>
      sources.map((file): [string, string] => [file.slice(file.indexOf(SOURCES) + SOURCES.length), file]),
    ),
  );

/** Files in the work folder that list paths line by line, for the analysers. */
export const lists = ({ work }: BuiltProject) => ({
  sources: join(work, 'sources.txt'),
  libraries: join(work, 'libraries.txt'),
});

/** Writes those lists. @throws Failure `InvalidInput` for a path that they cannot hold */
export async function writeLists(project: BuiltProject): Promise<void> {
  const { sources, libraries } = lists(project);
  await writeFile(sources, plainPaths(sourcesOf(project)).join('\n'));
  await writeFile(libraries, [...classesOf(project), ...project.libraries].join('\n'));
}

/** @throws Failure `InvalidInput` for paths that a list separated by commas or line breaks cannot hold */
export function plainPaths(all: readonly string[]): readonly string[] {
  const bad = all.find((path) => /[,\n\r"]/.test(path));
  if (bad)
    throw new Failure(
      'InvalidInput',
      `${JSON.stringify(bad)} cannot be analysed: its name holds a comma, a quote or a line break`,
    );
  return all;
}
