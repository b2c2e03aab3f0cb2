import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Finding } from '../../model/findings.ts';
import { Failure } from '../failure.ts';
import { isPackage } from '../packages/contents.ts';
import { withArchive } from '../zip/archive.ts';
import { readScannedPackage, type ScannedPackage } from './content/package.ts';
import { readDispatcher, type DispatcherModel } from './dispatcher/model.ts';
import { ServerRoot } from './dispatcher/server-root.ts';
import { filesOfFolder, filesOfZip, type Files } from './files.ts';
import { readPackages, type Origins } from './nested.ts';
import { sorted } from './output/table.ts';
import { exploreProject, packageTypeOf } from './project.ts';
import { runChecks, type Flavour } from './rule.ts';
import { allDispatcherChecks, contentChecks } from './rules/all.ts';

export interface ScanOptions {
  /** By default, that of the dispatcher configuration that is found; Managed Services when there is none. */
  readonly flavour?: Flavour;
  /** Is told what is being looked at, for people. */
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface ScanResult {
  readonly flavour: Flavour;
  /** The packages and folders that were looked at, as findings call them. */
  readonly scanned: readonly string[];
  /** By file and line. */
  readonly findings: readonly Finding[];
}

interface Read {
  readonly packages: ScannedPackage[];
  readonly dispatchers: DispatcherModel[];
}

/**
 * Scans a project folder, a content package or a dispatcher package with the rules for AEM. Of a project, the zips in
 * `target` folders are scanned, and the sources of modules that have none. It needs no server.
 * @throws Failure `Missing` when there is no such file or folder, `InvalidInput` when nothing in it can be scanned,
 *   `InvalidArtifact` for a zip that is hostile or damaged; the signal's reason
 */
export async function scan(target: string, options: ScanOptions = {}): Promise<ScanResult> {
  const { log = () => {}, signal } = options;
  const path = resolve(target);
  const found = await stat(path).catch((error: unknown) => {
    throw new Failure('Missing', `there is no file or folder ${target}`, { cause: error });
  });
  const read: Read = { packages: [], dispatchers: [] };
  if (found.isDirectory()) await readProject(path, read, log, signal);
  else await readZip(path, basename(path), () => () => undefined, read, log);
  if (read.packages.length + read.dispatchers.length === 0)
    throw new Failure(
      'InvalidInput',
      `${target} holds neither a content package (jcr_root) nor a dispatcher configuration (conf.dispatcher.d)`,
    );
  signal?.throwIfAborted();
  return judged(read, options.flavour);
}

/**
 * Scans the zips of one build together. What is neither a content package nor a dispatcher configuration is left out.
 * @param zips `label` is what findings call each
 * @throws Failure `InvalidArtifact` for a zip that is hostile or damaged; the signal's reason
 */
export async function scanZips(
  zips: readonly { readonly path: string; readonly label: string }[],
  { flavour, log = () => {}, signal }: ScanOptions,
): Promise<ScanResult> {
  const read: Read = { packages: [], dispatchers: [] };
  for (const { path, label } of zips) {
    signal?.throwIfAborted();
    await readZip(path, label, () => () => undefined, read, log);
  }
  return judged(read, flavour);
}

function judged(read: Read, wanted: Flavour | undefined): ScanResult {
  const packages = deployed(read.packages);
  const flavour = wanted ?? (read.dispatchers.some((one) => one.flavour === 'cloud') ? 'cloud' : 'ams');
  const findings = [
    ...runChecks(contentChecks, { packages }, flavour),
    ...read.dispatchers.flatMap((model) => runChecks(allDispatcherChecks, model, flavour)),
  ];
  return {
    flavour,
    scanned: [...packages.map(({ label }) => label), ...read.dispatchers.map(({ root }) => root.label)],
    findings: sorted(distinct(findings)),
  };
}

async function readProject(
  path: string,
  read: Read,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const files = await filesOfFolder(path, '');
  const project = exploreProject(files, await builtZips(path, files));
  for (const zip of project.zips) {
    signal?.throwIfAborted();
    await readZip(join(path, zip), zip, project.origins, read, log);
  }
  for (const folder of project.contentFolders) {
    signal?.throwIfAborted();
    log(`${folder || '.'}: content package, from its sources`);
    const packageType = await packageTypeOf(files, folder);
    const source = await filesOfFolder(join(path, folder), folder);
    read.packages.push(await readScannedPackage(source, { ...(packageType && { packageType }) }));
  }
  for (const folder of project.dispatcherFolders) {
    signal?.throwIfAborted();
    log(`${folder || '.'}: dispatcher configuration`);
    const root = await ServerRoot.read(await filesOfFolder(join(path, folder), folder));
    read.dispatchers.push(readDispatcher(root));
  }
}

/** The zips that a build left in `target` folders of modules. */
async function builtZips(path: string, files: Files): Promise<string[]> {
  const folders = ['', ...files.entries.filter(({ type }) => type === 'folder').map(({ name }) => name)];
  const known = new Set(files.entries.map(({ name }) => name));
  const zips: string[] = [];
  for (const folder of folders) {
    if (folder !== '' && !known.has(`${folder}/pom.xml`)) continue;
    const target = join(path, folder, 'target');
    const names = await readdir(target).catch(() => []);
    for (const name of names.filter((one) => one.endsWith('.zip')).sort())
      zips.push(join(folder, 'target', name));
  }
  return zips;
}

/** @param label path inside the project, or the file's name */
function readZip(
  path: string,
  label: string,
  origins: Origins,
  read: Read,
  log: (line: string) => void,
): Promise<void> {
  return withArchive(
    path,
    async (archive) => {
      const isDispatcher = archive.entries.some(({ name }) => name.startsWith('conf.dispatcher.d/'));
      const hasConf = archive.entries.some(({ name }) => /^conf(\.d)?\//.test(name));
      if (isPackage(archive.entries)) {
        log(`${label}: content package`);
        read.packages.push(...(await readPackages(archive, origins)));
      } else if (isDispatcher || hasConf) {
        log(`${label}: dispatcher configuration`);
        const root = await ServerRoot.read(filesOfZip(archive, origins(basename(label))));
        read.dispatchers.push(readDispatcher(root));
      } else log(`${label}: neither a content package nor a dispatcher configuration, left out`);
    },
    label,
  );
}

/**
 * A package with `cloudManagerTarget` set to `none` reaches AEM inside another one: where that one is scanned too, it is
 * looked at there.
 */
function deployed(packages: readonly ScannedPackage[]): ScannedPackage[] {
  const inside = new Set(packages.filter(({ label }) => label.includes('!/')).map(({ id }) => id));
  return packages.filter(
    ({ label, target, id }) =>
      label.includes('!/') || target !== 'none' || id === undefined || !inside.has(id),
  );
}

/** A package that is embedded twice brings its findings once. */
const distinct = (findings: readonly Finding[]): Finding[] => [
  ...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values(),
];
