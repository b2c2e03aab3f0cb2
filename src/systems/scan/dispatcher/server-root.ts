import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { Files } from '../files.ts';
import { decodeText } from '../text.ts';

const MAX_FILE_SIZE = 4 * 1024 ** 2;
const MAX_HOPS = 40;

export interface ConfigurationFile {
  /** Path in the server root, links followed. */
  readonly path: string;
  /** What findings call it. */
  readonly file: string;
  /** Undefined when it is binary or too large. */
  readonly text: string | undefined;
}

/** The server root that a dispatcher package is unpacked to, in memory: names, texts and links. */
export class ServerRoot {
  readonly label: string;
  readonly #files = new Map<string, ConfigurationFile>();
  readonly #links = new Map<string, string>();

  private constructor(label: string) {
    this.label = label;
  }

  static async read(files: Files): Promise<ServerRoot> {
    const root = new ServerRoot(files.label);
    for (const { name, type } of files.entries) {
      if (type === 'folder' || !/^(conf|conf\.d|conf\.modules\.d|conf\.dispatcher\.d)\//.test(name)) continue;
      const bytes = await files.read(name, MAX_FILE_SIZE);
      if (type === 'link') root.#links.set(name, bytes?.toString() ?? '');
      else root.#files.set(name, { path: name, file: files.place(name), text: bytes && decodeText(bytes) });
    }
    return root;
  }

  /** All files, by path. */
  get files(): readonly ConfigurationFile[] {
    return [...this.#files.values()];
  }

  /** The file at a path, through links; undefined when there is none inside the package. */
  file(path: string): ConfigurationFile | undefined {
    let at = posix.normalize(path);
    for (let hops = 0; hops < MAX_HOPS; hops += 1) {
      const target = this.#links.get(at);
      if (target === undefined) return this.#files.get(at);
      at = posix.join(posix.dirname(at), target);
    }
    return undefined;
  }

  /**
   * The paths of files and links that a pattern with `*`, `?` and `[...]` names, sorted as httpd does; those below it
   * when it names a folder.
   */
  match(pattern: string): string[] {
    const normal = posix.normalize(pattern).replace(/\/$/, '');
    const names = [...this.#files.keys(), ...this.#links.keys()].sort();
    if (!isPattern(normal))
      return names.includes(normal) ? [normal] : names.filter((name) => name.startsWith(`${normal}/`));
    const matches = picomatch(normal, {
      nobrace: true,
      noextglob: true,
      nonegate: true,
      strictSlashes: true,
    });
    return names.filter((name) => matches(name));
  }
}

export const isPattern = (path: string): boolean => /[*?[]/.test(path);

/** `/etc/httpd` is where the server root is on the hosts of Managed Services and the Cloud Service. */
export function insideServerRoot(path: string): string | undefined {
  const inside = path.replace(/^\/etc\/(httpd|apache2)\//, '');
  return inside.startsWith('/') ? undefined : inside;
}

/** Puts in the values of `${VARIABLES}`; undefined when one of them is not known. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string | undefined {
  let known = true;
  const expanded = text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = variables.get(name);
    if (value === undefined) known = false;
    return value ?? '';
  });
  return known ? expanded : undefined;
}
