import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageDependency } from '../../model/artifacts.ts';
import { compareVersions, inRange, parseRange } from '../../model/package-version.ts';
import { extractZip } from '../../systems/zip/extract.ts';
import { saxProblem } from './docview.ts';
import type { Faults } from './faults.ts';
import { describePackage } from './package-file.ts';
import { Refusal } from './refusal.ts';
import type { Repository } from './repository.ts';
import { platformName, type FilterRoot } from './repository.ts';
import type { PackageRecord, Store } from './store.ts';

/** One line of an installation's log: `A /apps/site`, or a message by itself. */
export interface LogLine {
  readonly mark: string;
  readonly text: string;
}

export interface InstallOptions {
  /** Sub-packages below `/etc/packages` are installed as well. */
  readonly recursive: boolean;
  /** `required` refuses a package whose dependencies are absent and installs those that are only uploaded. */
  readonly dependencyHandling: string;
}

const strict = (handling: string) => !['ignore', 'best_effort'].includes(handling);
const idOf = ({ group, name, version }: PackageRecord) => [group, name, version].filter(Boolean).join(':');

/** FileVault's part of the stand-in: packages are kept, installed, uninstalled and removed. One thing at a time. */
export class Packages {
  readonly #store: Store;
  readonly #repository: Repository;
  readonly #faults: Faults;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store, repository: Repository, faults: Faults) {
    this.#store = store;
    this.#repository = repository;
    this.#faults = faults;
  }

  /**
   * Takes over a zip. As in FileVault a package that replaces one of the same version and creation date keeps its
   * installation date; snapshots never do.
   * @throws Refusal
   */
  upload(zip: string, force: boolean): Promise<PackageRecord> {
    return this.#inTurn(async () => {
      const described = await describePackage(zip);
      const old = this.#store.find(described.path);
      if (old && !force) throw new Refusal(`Package already exists: ${described.path}`);
      const same =
        old && old.created !== 0 && old.created === described.created && !/-SNAPSHOT$/.test(old.version);
      const file = `${randomUUID()}.zip`;
      await rename(zip, join(this.#store.folder('zips'), file));
      const lastUnpacked = same ? old.lastUnpacked : 0;
      const record = { ...described, file, uploaded: Date.now(), lastUnpacked };
      this.#store.state.packages = [...this.#store.state.packages.filter((other) => other !== old), record];
      await this.#store.save();
      if (old) await this.#discard(old);
      return record;
    });
  }

  /** @returns whether the content was imported without an error. @throws Refusal */
  install(path: string, options: InstallOptions, log: LogLine[]): Promise<boolean> {
    return this.#inTurn(() => this.#install(path, options, log, []));
  }

  async #install(
    path: string,
    options: InstallOptions,
    log: LogLine[],
    above: readonly string[],
  ): Promise<boolean> {
    const record = this.#known(path);
    const failure = this.#faults.failing.get(record.name);
    if (failure !== undefined) throw new Refusal(failure);
    await this.#dependencies(record, options, log, [...above, path]);
    const say = (mark: string, text = '') => log.push({ mark, text });
    for (const message of [
      'Collecting import information...',
      'Installing node types...',
      'Importing content...',
    ])
      say(message);

    const unpacked = join(this.#store.folder('uploads'), `unpacked-${randomUUID()}`);
    let clean = true;
    let inner: PackageRecord[] = [];
    try {
      await extractZip(this.#store.zip(record), unpacked);
      const root = join(unpacked, 'jcr_root');
      inner = await this.#subPackages(root, record.filter);
      const errors = await removeBroken(root, record.filter);
      if (this.#faults.withErrors.has(record.name))
        errors.push(
          `/apps/${record.name} (javax.jcr.nodetype.ConstraintViolationException: no matching child node definition)`,
        );
      for (const error of errors) say('E', error);
      await this.#repository.snapshot(record.filter, join(this.#store.folder('snapshots'), record.file));
      const changes = await this.#repository.import(root, record.filter);
      for (const { action, path: changed } of changes) say(action, changed);
      say(`saving approx ${changes.length} nodes...`);
      clean = errors.length === 0;
      say(clean ? 'Package imported.' : 'Package imported (with errors, check logs!)');
    } finally {
      await rm(unpacked, { recursive: true, force: true });
    }
    record.lastUnpacked = Math.max(Date.now(), record.lastUnpacked + 1);
    await this.#store.save();
    if (options.recursive)
      for (const sub of inner)
        clean = (await this.#install(sub.path, options, log, [...above, path])) && clean;
    return clean;
  }

  async #dependencies(
    record: PackageRecord,
    options: InstallOptions,
    log: LogLine[],
    above: readonly string[],
  ): Promise<void> {
    if (options.dependencyHandling === 'ignore') return;
    const missing: string[] = [];
    for (const dependency of record.dependencies) {
      const candidates = this.#store.state.packages.filter((other) => satisfies(other, dependency));
      if (candidates.some(({ lastUnpacked }) => lastUnpacked > 0)) continue;
      const newest = candidates.sort((a, b) => compareVersions(b.version, a.version))[0];
      if (newest && !above.includes(newest.path)) await this.#install(newest.path, options, log, above);
      else missing.push([dependency.group, dependency.name, dependency.range].filter(Boolean).join(':'));
    }
    if (missing.length > 0 && strict(options.dependencyHandling))
      throw new Refusal(
        `org.apache.jackrabbit.vault.packaging.DependencyException: Refusing to install package ${idOf(record)}. required dependencies missing: [${missing.join(', ')}]`,
      );
  }

  /** Zips below `jcr_root/etc/packages` become packages of their own instead of content. */
  async #subPackages(root: string, filter: readonly FilterRoot[]): Promise<PackageRecord[]> {
    const found: PackageRecord[] = [];
    for (const file of await filesOf(join(root, 'etc', 'packages'))) {
      const path = `/etc/packages/${file}`;
      if (!file.endsWith('.zip') || !filter.some((one) => covers(one.root, path))) continue;
      found.push(await this.#register(join(root, 'etc', 'packages', file)));
    }
    return found;
  }

  async #register(zip: string): Promise<PackageRecord> {
    const described = await describePackage(zip);
    const file = `${randomUUID()}.zip`;
    await rename(zip, join(this.#store.folder('zips'), file));
    const record = { ...described, file, uploaded: Date.now(), lastUnpacked: 0 };
    const others = this.#store.state.packages.filter(({ path }) => path !== record.path);
    this.#store.state.packages = [...others, record];
    return record;
  }

  uninstall(path: string): Promise<void> {
    return this.#inTurn(async () => {
      const record = this.#known(path);
      if (record.lastUnpacked === 0)
        throw new Refusal(
          'org.apache.jackrabbit.vault.packaging.PackageException: Unable to uninstall package. No snapshot present.',
        );
      await this.#repository.restore(record.filter, join(this.#store.folder('snapshots'), record.file));
      record.lastUnpacked = 0;
      await this.#store.save();
    });
  }

  remove(path: string): Promise<void> {
    return this.#inTurn(async () => {
      const record = this.#known(path);
      this.#store.state.packages = this.#store.state.packages.filter((other) => other !== record);
      await this.#store.save();
      await this.#discard(record);
    });
  }

  async #discard(record: PackageRecord): Promise<void> {
    await rm(this.#store.zip(record), { force: true });
    await rm(join(this.#store.folder('snapshots'), record.file), { recursive: true, force: true });
  }

  #known(path: string): PackageRecord {
    const record = this.#store.find(path);
    if (!record) throw new Refusal(`no package at ${path}`);
    return record;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function satisfies(record: PackageRecord, { group, name, range }: PackageDependency): boolean {
  const parsed = parseRange(range);
  return (
    record.group === group && record.name === name && !('error' in parsed) && inRange(record.version, parsed)
  );
}

const covers = (root: string, path: string) => path === root || path.startsWith(`${root}/`);

/** Document views that are not well formed are left out, as FileVault does, and reported path by path. */
async function removeBroken(root: string, filter: readonly FilterRoot[]): Promise<string[]> {
  const errors: string[] = [];
  for (const one of filter)
    for (const file of await filesOf(join(root, ...one.root.split('/').map(platformName)))) {
      if (!file.endsWith('.xml')) continue;
      const path = join(root, ...one.root.split('/').map(platformName), file);
      const text = await readFile(path, 'utf8');
      const problem =
        file.endsWith('.content.xml') || text.includes('<jcr:root') ? saxProblem(text) : undefined;
      if (problem === undefined) continue;
      errors.push(
        `${one.root}/${file.replace(/(^|\/)\.content\.xml$/, '')} (${problem})`.replace('/ (', ' ('),
      );
      await rm(path);
    }
  return errors;
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
