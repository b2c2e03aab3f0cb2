import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeBundle, putBundle, resolveBundles } from './bundles.ts';
import type { Packages } from './packages.ts';
import type { Repository } from './repository.ts';
import type { Store } from './store.ts';

/** Until Sling's JCR installer notices a change. */
const SCAN_MS = 300;
/** What one bundle or package keeps it busy for, at least. */
const ITEM_MS = 60;
/** Sling's default: install folders up to four levels below a search path, with run modes behind dots. */
const INSTALL_FOLDER =
  /^\/(?:apps|libs)(?:\/[^/]+){0,4}?\/(?:install|config)((?:\.[^/.]+)*)(?:\/\d+)?\/[^/]+\.(jar|zip)$/;

interface Found {
  readonly path: string;
  readonly sha256: string;
}

/**
 * Sling's JCR installer: some hundred milliseconds after a package was installed it looks through the install folders,
 * and installs the bundles and packages that are new there, if their run modes fit.
 */
export class Installer {
  readonly #store: Store;
  readonly #repository: Repository;
  readonly #packages: Packages;
  readonly #runMode: string;
  readonly #onWork: () => void;
  readonly #stopping = new AbortController();
  #queued = 0;
  #again = false;
  #running: Promise<void> | undefined;

  constructor(
    parts: { store: Store; repository: Repository; packages: Packages; runMode: string },
    onWork: () => void,
  ) {
    this.#store = parts.store;
    this.#repository = parts.repository;
    this.#packages = parts.packages;
    this.#runMode = parts.runMode;
    this.#onWork = onWork;
  }

  /** What `installstatus.jsp` says. Like AEM it knows nothing of what was not noticed yet. */
  get itemCount(): number {
    return this.#queued;
  }

  /** Content has changed: look soon. */
  poke(): void {
    this.#again = true;
    this.#running ??= this.#work()
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) throw error;
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#again) {
      this.#again = false;
      await sleep(SCAN_MS, undefined, { signal });
      let waiting = await this.#changed();
      if (waiting.length > 0) this.#onWork();
      for (let before = -1; waiting.length > 0 && waiting.length !== before;) {
        before = waiting.length;
        this.#queued = waiting.length;
        const left: Found[] = [];
        for (const found of waiting) {
          await sleep(ITEM_MS, undefined, { signal });
          if (await this.#install(found)) this.#queued -= 1;
          else left.push(found);
        }
        waiting = left;
      }
      await sleep(this.#queued > 0 ? 0 : ITEM_MS, undefined, { signal });
      resolveBundles(this.#store.state.bundles);
      await this.#store.save();
      this.#queued = 0;
    }
  }

  /** Forgets what is gone, and returns what is new or different. */
  async #changed(): Promise<Found[]> {
    const { state } = this.#store;
    const present = new Map<string, Found>();
    for (const top of ['/apps', '/libs'])
      for (const path of await this.#repository.files(top)) {
        const match = INSTALL_FOLDER.exec(path);
        const modes = match?.[1]?.split('.').filter(Boolean) ?? [];
        if (match && modes.every((mode) => mode === this.#runMode))
          present.set(path, { path, sha256: await sha256(this.#repository.at(path)) });
      }
    const kept = Object.entries(state.resources).filter(([path]) => present.has(path));
    const names = new Set(kept.map(([, { bundle }]) => bundle));
    const gone = Object.entries(state.resources).filter(([path]) => !present.has(path));
    state.bundles = state.bundles.filter(
      ({ symbolicName }) =>
        names.has(symbolicName) || !gone.some(([, { bundle }]) => bundle === symbolicName),
    );
    state.resources = Object.fromEntries(kept);
    return [...present.values()].filter(({ path, sha256 }) => state.resources[path]?.sha256 !== sha256);
  }

  /** False when it cannot be installed now; a later change may help. */
  async #install({ path, sha256 }: Found): Promise<boolean> {
    const { state } = this.#store;
    const file = this.#repository.at(path);
    try {
      if (path.endsWith('.jar')) {
        const described = await describeBundle(file);
        if (described) putBundle(state.bundles, described);
        state.resources[path] = { sha256, bundle: described?.symbolicName };
      } else {
        const copy = join(this.#store.folder('uploads'), `embedded-${randomUUID()}.zip`);
        await copyFile(file, copy);
        const { path: installed } = await this.#packages.upload(copy, true);
        await this.#packages.install(installed, { recursive: true, dependencyHandling: 'required' }, []);
        state.resources[path] = { sha256, package: installed };
        this.#again = true;
      }
      await this.#store.save();
      return true;
    } catch {
      return false; // AEM's installer logs it and tries again when something else changes
    }
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
