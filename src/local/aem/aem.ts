import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { PackageId } from '../../model/artifacts.ts';
import { interfaceFor, LOOPBACK } from '../interface.ts';
import { foreignReferrer, login, toLogin, unauthorized, visitorOf } from './access.ts';
import { json, notFound, text, type Answer } from './answer.ts';
import { assets } from './assets.ts';
import { bundlesJson, resolveBundles } from './bundles.ts';
import { Csrf } from './csrf.ts';
import { Faults } from './faults.ts';
import { readForm } from './form.ts';
import { healthReport } from './health.ts';
import { Installer } from './installer.ts';
import { packageManager, type Action } from './packmgr.ts';
import { Packages } from './packages.ts';
import { page } from './pages.ts';
import { Replication, type Agent } from './replication.ts';
import { Repository } from './repository.ts';
import { slingPost } from './sling-post.ts';
import { Store } from './store.ts';
import { samplePackage, weakAnswer, withLeaks, type Weakness } from './weaknesses.ts';

export interface AemOptions {
  /** A free one when it is not given. */
  readonly port?: number;
  /** The name by which other machines reach it, on all interfaces; on loopback alone when absent. */
  readonly host?: string;
  readonly runMode: 'author' | 'publish';
  /** Of the account `admin`. */
  readonly password: string;
  /** Where packages and content are kept: a stand-in started again there still has them. */
  readonly folder: string;
  /** What this instance has not switched off; it is hardened otherwise. */
  readonly insecure?: readonly Weakness[];
  /** How long the package manager is away after a container package, in milliseconds; 200 unless said otherwise. */
  readonly restartMs?: number;
}

/** A running stand-in of an AEM instance, and what can be done to it besides HTTP requests. */
export interface AemStandIn {
  readonly url: string;
  readonly port: number;
  /** `admin:<password>` */
  readonly credentials: string;
  /** Ways to make it fail. */
  readonly faults: Faults;
  /** Its replication agents; it has none to begin with. */
  readonly agents: Agent[];
  /** Returns once everything that is to be replicated has been. */
  replicated(): Promise<void>;
  /** What the package manager has done, oldest first. */
  readonly actions: readonly Action[];
  installed(): PackageId[];
  /** Nobody listens any more and what is held is lost; the disk stays as it is. */
  crash(): Promise<void>;
  /** Listens again, on the same port. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

const DEFAULT_RESTART_MS = 200;

/** Starts a stand-in that speaks AEM's package manager, console and content over HTTP, on loopback. */
export async function startAem(options: AemOptions): Promise<AemStandIn> {
  const store = await Store.open(options.folder);
  const repository = new Repository(store.folder('repository'));
  const faults = new Faults();
  const replication = new Replication(repository, faults);
  const csrf = new Csrf();
  const packages = new Packages(store, repository, faults);
  const actions: Action[] = [];
  const restart = () => faults.restartPackageManager(options.restartMs ?? DEFAULT_RESTART_MS);
  const installer = new Installer({ store, repository, packages, runMode: options.runMode }, restart);
  const insecure = new Set(options.insecure);
  const accounts = { password: options.password, shipped: insecure.has('default_login_accounts') };
  if (insecure.has('example_content_packages') && !store.find(samplePackage.path))
    store.state.packages.push(samplePackage);
  resolveBundles(store.state.bundles);
  installer.poke(); // an installation may have been interrupted

  async function answer(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const path = decodeURIComponent(url.pathname);
    const visitor = visitorOf(request, accounts);
    const foreign = insecure.has('sling_referrer_filter') ? undefined : foreignReferrer(request);
    if (foreign) return foreign;
    const weak = weakAnswer(request, path, insecure);
    if (weak) return weak;
    if (path.startsWith('/crx/packmgr/'))
      return visitor === 'user'
        ? packageManager(request, url, { store, packages, installer, faults, actions })
        : unauthorized;
    if (visitor === 'refused') return unauthorized;
    if (path.startsWith('/etc/packages/')) {
      const record = visitor === 'user' ? store.find(path) : undefined;
      return record
        ? { status: 200, headers: { 'content-type': 'application/zip' }, file: store.zip(record) }
        : notFound;
    }
    if (path === '/system/health.json') return healthReport(url, insecure);
    if (options.runMode === 'author' && /^\/api\/assets(\/|\.json$|$)/.test(path))
      return visitor === 'user'
        ? ((request.method === 'GET' ? undefined : csrf.refuses(request, new Map(), visitor)) ??
            assets(request, path, { repository, faults, uploads: store.folder('uploads') }))
        : unauthorized;
    if (path.startsWith('/system/console')) return visitor === 'user' ? console_(path) : toLogin(path);
    if (request.method === 'POST') {
      const form = await readForm(request, store.folder('uploads'));
      const answered = login(request, path, form.fields, accounts);
      if (answered) return answered;
      if (options.runMode === 'author' && visitor !== 'user') return toLogin(path);
      const forged = csrf.refuses(request, form.fields, visitor);
      if (forged) return forged;
      return visitor === 'user' ? change(path, form.fields) : anonymousChange(form.fields);
    }
    const shown = login(request, path, new Map(), accounts) ?? csrf.answer(path, visitor);
    if (shown) return shown;
    if (path === '/libs/granite/security/currentuser.json')
      return json({ authorizableId: visitor === 'user' ? 'admin' : 'anonymous' });
    if (options.runMode === 'author' && visitor !== 'user') return toLogin(path);
    return withLeaks(await page(repository, path), url, insecure);
  }

  async function change(path: string, form: ReadonlyMap<string, string>): Promise<Answer> {
    if (options.runMode === 'author' && path === '/bin/replicate.json') return replication.replicate(form);
    if (options.runMode === 'publish' && path === '/bin/receive')
      return replication.receive(form.get('delivery'));
    return slingPost(path, form, { repository, faults });
  }

  const anonymousChange = (form: ReadonlyMap<string, string>): Answer =>
    form.get(':operation') === 'nop' ? text(200, 'OK') : text(403, 'Forbidden');

  function console_(path: string): Answer {
    const [, id] = /^\/system\/console\/bundles(?:\/(\d+))?(?:\/)?\.json$/.exec(path) ?? [
      undefined,
      undefined,
    ];
    if (!/^\/system\/console\/bundles(\/\d+|\/)?\.json$/.test(path)) return notFound;
    const bundles = bundlesJson(store.state.bundles, id === undefined ? undefined : Number(id));
    return bundles ? json(bundles) : notFound;
  }

  const server = createServer((request, response) => {
    answer(request)
      .catch((error: Error) => text(500, `${error.name}: ${error.message}`))
      .then((found) => send(request, response, found))
      .catch(() => response.destroy());
  });
  server.requestTimeout = 0; // an upload takes as long as it takes
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, interfaceFor(options.host), () => {
        server.off('error', reject);
        resolve();
      });
    });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });

  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host ?? LOOPBACK}:${port}`,
    port,
    credentials: `admin:${options.password}`,
    faults,
    agents: replication.agents,
    replicated: () => replication.delivered(),
    actions,
    installed: () =>
      store.state.packages
        .filter(({ lastUnpacked }) => lastUnpacked > 0)
        .map(({ group, name, version }) => ({ group, name, version })),
    crash: async () => {
      await close();
      faults.loseHeld();
    },
    resume: () => listen(port),
    stop: async () => {
      await close();
      replication.end();
      faults.loseHeld();
      await installer.stop();
      await store.save();
    },
  };
}

async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  if (answer === 'cut') {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, { server: 'Day-Servlet-Engine/4.1.52', ...answer.headers });
  request.resume(); // what is left of a refused upload
  if (request.method === 'HEAD') response.end();
  else if (answer.file !== undefined) await pipeline(createReadStream(answer.file), response);
  else response.end(answer.body);
}
