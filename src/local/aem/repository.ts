import { randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { docViewXml, parseDocView, type ViewNode } from './docview.ts';

/** One `<filter root="..." mode="...">` of a package. */
export interface FilterRoot {
  readonly root: string;
  readonly mode: string;
}

export interface Change {
  /** A added, U updated, D deleted: as FileVault's log names them. */
  readonly action: 'A' | 'U' | 'D';
  readonly path: string;
}

const VIEW = '.content.xml';

/**
 * The stand-in's content: a folder laid out like `jcr_root` of a package, with platform names. Nodes are looked up in
 * the document view nearest above them.
 */
export class Repository {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where the content of a path is, or would be, on disk. The path comes from a filter or a request: checked. */
  at(path: string): string {
    if (
      !path.startsWith('/') ||
      /[\0\\]/.test(path) ||
      path.split('/').some((name) => name === '..' || name === '.')
    )
      throw new Error(`not a repository path: ${path}`);
    return join(this.#folder, ...path.split('/').map(platformName));
  }

  /**
   * Puts the content of an unpacked `jcr_root` in place of what is below each filter root; modes other than `replace`
   * keep what the package does not hold.
   */
  async import(jcrRoot: string, roots: readonly FilterRoot[]): Promise<Change[]> {
    const changes: Change[] = [];
    for (const { root, mode } of roots) {
      const source = join(jcrRoot, ...root.split('/').map(platformName));
      const target = this.at(root);
      const before = new Set(await filesBelow(target));
      const after = await filesBelow(source);
      await this.#importAncestors(jcrRoot, root);
      await mkdir(dirname(target), { recursive: true });
      if (mode === 'replace') await this.#replace(target, after.length > 0 ? source : undefined);
      else if (after.length > 0) await cp(source, target, { recursive: true, force: mode !== 'merge' });
      const name = (file: string) => nodePath(root, file);
      for (const file of after) changes.push({ action: before.has(file) ? 'U' : 'A', path: name(file) });
      if (mode === 'replace')
        for (const file of before) if (!after.includes(file)) changes.push({ action: 'D', path: name(file) });
    }
    return changes;
  }

  /** Old or new, nothing between: AEM saves an import as a whole, too. */
  async #replace(target: string, source: string | undefined): Promise<void> {
    const [fresh, old] = [
      join(this.#folder, `.new-${randomUUID()}`),
      join(this.#folder, `.old-${randomUUID()}`),
    ];
    if (source !== undefined) await cp(source, fresh, { recursive: true });
    if (await exists(target)) renameSync(target, old);
    if (source !== undefined) renameSync(fresh, target);
    await rm(old, { recursive: true, force: true });
  }

  /** Nodes above a filter root are made when they are missing and never changed. */
  async #importAncestors(jcrRoot: string, root: string): Promise<void> {
    const names = root.split('/').map(platformName).slice(0, -1);
    for (let depth = 1; depth <= names.length; depth += 1) {
      const folder = names.slice(0, depth);
      const source = join(jcrRoot, ...folder, VIEW);
      const target = join(this.#folder, ...folder, VIEW);
      if ((await exists(source)) && !(await exists(target))) {
        await mkdir(dirname(target), { recursive: true });
        await cp(source, target);
      }
    }
  }

  /** Keeps a copy of what is below the roots, so that an uninstallation can put it back. */
  async snapshot(roots: readonly FilterRoot[], into: string): Promise<void> {
    await rm(into, { recursive: true, force: true });
    await mkdir(into, { recursive: true });
    for (const [index, { root }] of roots.entries())
      if (await exists(this.at(root)))
        await cp(this.at(root), join(into, String(index)), { recursive: true });
  }

  async restore(roots: readonly FilterRoot[], from: string): Promise<void> {
    for (const [index, { root }] of roots.entries()) {
      await rm(this.at(root), { recursive: true, force: true });
      if (await exists(join(from, String(index)))) await rename(join(from, String(index)), this.at(root));
    }
    await rm(from, { recursive: true, force: true });
  }

  /** A node by its path, from the document view of its own folder or of one above it. */
  async node(path: string): Promise<ViewNode | undefined> {
    const names = path.split('/').filter((name) => name !== '');
    for (let depth = names.length; depth >= 0; depth -= 1) {
      const view = await read(join(this.at('/' + names.slice(0, depth).join('/')), VIEW));
      let found: ViewNode | undefined = view === undefined ? undefined : parseDocView(view);
      for (const name of names.slice(depth)) found = found?.children.get(name);
      if (found) return found;
    }
    return undefined;
  }

  /** Puts a node in place of the one of that path; nodes below it that have a folder of their own stay. */
  async write(path: string, node: ViewNode): Promise<void> {
    const folder = this.at(path);
    await mkdir(folder, { recursive: true });
    const fresh = join(folder, `.new-${randomUUID()}`);
    await writeFile(fresh, docViewXml(node));
    renameSync(fresh, join(folder, VIEW));
  }

  /** Removes a node that has a folder of its own, with all below it. @returns whether it was there */
  async remove(path: string): Promise<boolean> {
    const there = await exists(this.at(path));
    await rm(this.at(path), { recursive: true, force: true });
    return there;
  }

  /** Content of a file; undefined when there is none at that path. */
  async file(path: string): Promise<Buffer | undefined> {
    const onDisk = this.at(path);
    return (await isFile(onDisk)) ? readFile(onDisk) : undefined;
  }

  /** Repository paths of all files below a path. */
  async files(path: string): Promise<string[]> {
    return (await filesBelow(this.at(path))).map((file) => (file === '' ? path : `${path}/${file}`));
  }
}

/** `jcr:content` is `_jcr_content` in the file system. */
export const platformName = (name: string) => name.replace(/^([a-z]+):/, '_$1_');

function nodePath(root: string, file: string): string {
  const names = file.split('/').filter((name) => name !== '' && name !== VIEW);
  return [root, ...names.map((name) => name.replace(/^_([a-z]+)_/, '$1:'))].join('/');
}

/** Paths relative to the folder; the empty path when it is a file itself. */
async function filesBelow(path: string): Promise<string[]> {
  if (await isFile(path)) return [''];
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const isMissing = (error: unknown) =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

async function read(path: string): Promise<string | undefined> {
  return (await isFile(path)) ? readFile(path, 'utf8') : undefined;
}

async function exists(path: string): Promise<boolean> {
  return (await status(path)) !== undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await status(path))?.isFile() ?? false;
}

async function status(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
