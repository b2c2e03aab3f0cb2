import type { IncomingMessage } from 'node:http';
import { rm } from 'node:fs/promises';
import { escapeHtml, html, json, notFound, text, type Answer } from './answer.ts';
import type { Faults } from './faults.ts';
import { readForm, type Form } from './form.ts';
import type { Installer } from './installer.ts';
import type { LogLine, Packages } from './packages.ts';
import { Refusal } from './refusal.ts';
import type { PackageRecord, Store } from './store.ts';

/** One thing that the package manager was asked to do and did, or tried to. */
export interface Action {
  readonly what: 'upload' | 'install' | 'uninstall' | 'delete';
  readonly path: string;
}

export interface PackageManagerParts {
  readonly store: Store;
  readonly packages: Packages;
  readonly installer: Installer;
  readonly faults: Faults;
  /** Everything done so far, oldest first. */
  readonly actions: Action[];
}

/** CRX Package Manager's HTTP interface, `/crx/packmgr`. Most failures are answers with status 200. */
export async function packageManager(
  request: IncomingMessage,
  url: URL,
  parts: PackageManagerParts,
): Promise<Answer> {
  const away = parts.faults.restarting();
  if (away !== undefined)
    return away === 'cut'
      ? 'cut'
      : text(away, 'AuthenticationSupport service missing. Cannot authenticate request.');
  const path = decodeURIComponent(url.pathname.slice('/crx/packmgr'.length));
  const service = /^\/service\/(?:console)?\.(json|html)(\/.*)?$/.exec(path);
  if (service) return command(request, url, service[1] as 'json' | 'html', service[2] ?? '/', parts);
  switch (path) {
    case '/index.jsp':
      return html('<html><head><title>CRX Package Manager</title></head><body></body></html>');
    case '/list.jsp':
      return json(list(parts.store.state.packages, url.searchParams.get('name')));
    case '/installstatus.jsp': {
      const itemCount = parts.installer.itemCount;
      return json({ status: { finished: itemCount === 0, itemCount } });
    }
    case '/service.jsp':
      return legacy(url.searchParams.get('cmd'), parts.store.state.packages);
    default:
      return notFound;
  }
}

async function command(
  request: IncomingMessage,
  url: URL,
  format: 'json' | 'html',
  path: string,
  parts: PackageManagerParts,
): Promise<Answer> {
  if (request.method !== 'POST') return text(405, 'Method not allowed');
  const form = await readForm(request, parts.store.folder('uploads'), () => parts.faults.uploads.pass());
  try {
    return await perform(form, url, format, path, parts);
  } finally {
    for (const file of form.files.values()) await rm(file, { force: true });
  }
}

async function perform(
  form: Form,
  url: URL,
  format: 'json' | 'html',
  path: string,
  parts: PackageManagerParts,
): Promise<Answer> {
  const field = (name: string) => url.searchParams.get(name) ?? form.fields.get(name);
  const cmd = field('cmd') ?? '';
  const started = Date.now();
  const log: LogLine[] = [];
  try {
    switch (cmd) {
      case 'upload': {
        const record = await upload(form, field('force') === 'true', parts);
        return parts.faults.dropsAnswer('upload')
          ? 'cut'
          : json({ success: true, msg: 'Package uploaded', path: record.path });
      }
      case 'install': {
        parts.actions.push({ what: 'install', path });
        await parts.faults.installs.pass();
        const options = {
          recursive: field('recursive') === 'true',
          dependencyHandling: field('dependencyHandling') || 'required',
        };
        const clean = await parts.packages.install(path, options, log).finally(() => parts.installer.poke());
        if (parts.faults.dropsAnswer('install')) return 'cut';
        if (format === 'json')
          return json(
            clean ? { success: true, msg: 'Package installed' } : { success: false, msg: problems(log) },
          );
        return page('Installing content', log, `Package installed in ${Date.now() - started}ms.`);
      }
      case 'uninstall':
        parts.actions.push({ what: 'uninstall', path });
        await parts.packages.uninstall(path).finally(() => parts.installer.poke());
        log.push({ mark: `Uninstalling package from ${path}`, text: '' });
        return format === 'json'
          ? json({ success: true, msg: 'Package uninstalled' })
          : page('Uninstalling package', log, `Package uninstalled in ${Date.now() - started}ms.`);
      case 'delete':
        parts.actions.push({ what: 'delete', path });
        await parts.packages.remove(path);
        return format === 'json'
          ? json({ success: true, msg: 'Package deleted' })
          : page('Deleting package', log, `Package deleted in ${Date.now() - started}ms.`);
      default:
        return refuse(format, `Unknown command: ${cmd}`);
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return cmd === 'install' && parts.faults.dropsAnswer('install') ? 'cut' : refuse(format, error.message);
  }
}

async function upload(
  form: Form,
  force: boolean,
  { faults, packages, actions }: PackageManagerParts,
): Promise<PackageRecord> {
  if (faults.fullDisk) throw new Refusal('Inaccessible value');
  const file = form.files.get('package');
  if (file === undefined) throw new Refusal('package file parameter missing');
  const record = await packages.upload(file, force);
  actions.push({ what: 'upload', path: record.path });
  return record;
}

const problems = (log: readonly LogLine[]) =>
  log
    .filter(({ mark }) => mark === 'E')
    .map(({ text: problem }) => problem)
    .join('\n');

function refuse(format: 'json' | 'html', message: string): Answer {
  if (format === 'json') return json({ success: false, msg: message });
  const trace = `${message}\n\tat org.apache.jackrabbit.vault.packaging.impl.JcrPackageImpl.extract(JcrPackageImpl.java)`;
  return html(
    `<html><body><div><span class="error">Error during processing.</span><br><code><pre>${escapeHtml(trace)}</pre></code></div></body></html>`,
  );
}

function page(title: string, log: readonly LogLine[], end: string): Answer {
  const lines = log.map(
    ({ mark, text: detail }) =>
      `<span class="${escapeHtml(mark)}"><b>${escapeHtml(mark)}</b>&nbsp;${escapeHtml(detail)}</span><br>`,
  );
  return html(`<html><body><h2>${title}</h2><div>${lines.join('\n')}\n</div><br>${end}<br></body></html>`);
}

function list(packages: readonly PackageRecord[], name: string | null): object {
  const shown = packages.filter((record) => name === null || record.name === name);
  return {
    results: shown.map((record) => ({
      pid: `${record.group}:${record.name}${record.version && `:${record.version}`}`,
      path: record.path,
      name: record.name,
      downloadName: record.path.slice(record.path.lastIndexOf('/') + 1),
      group: record.group,
      groupTitle: record.group,
      version: record.version,
      size: record.size,
      created: record.created,
      lastModified: record.uploaded,
      ...(record.lastUnpacked > 0 && { lastUnpacked: record.lastUnpacked, lastUnpackedBy: 'admin' }),
      resolved: true,
      dependencies: record.dependencies.map(({ group, name: other, range }) => ({
        name: [group, other, range].filter(Boolean).join(':'),
      })),
      filter: record.filter.map(({ root }) => ({ root, rules: [] })),
    })),
    total: shown.length,
  };
}

function legacy(cmd: string | null, packages: readonly PackageRecord[]): Answer {
  const answer = (data: string) => ({
    status: 200,
    headers: { 'content-type': 'text/plain;charset=utf-8' },
    body: `<crx version="1.0" user="admin" workspace="crx.default"><request><param name="cmd" value="${escapeHtml(cmd ?? '')}"/></request><response><data>${data}</data><status code="200">ok</status></response></crx>`,
  });
  if (cmd === 'help') return answer('<help/>');
  if (cmd !== 'ls') return text(400, 'unknown command');
  const one = (record: PackageRecord) =>
    `<package><group>${escapeHtml(record.group)}</group><name>${escapeHtml(record.name)}</name><version>${escapeHtml(record.version)}</version><downloadName>${escapeHtml(record.path.slice(record.path.lastIndexOf('/') + 1))}</downloadName><size>${record.size}</size></package>`;
  return answer(`<packages>${packages.map(one).join('')}</packages>`);
}
