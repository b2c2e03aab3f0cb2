import { z } from 'zod';
import { Failure } from '../failure.ts';
import { ask, askText, LostAnswer, type Endpoint, type Question } from './http.ts';
import { InstallLog } from './install-log.ts';
import type { PackageManager } from './package-manager.ts';
import { uploadBody } from './upload-body.ts';

const SERVICE = '/crx/packmgr/service';

const text = z.string().catch('');
const listed = z.object({
  results: z.array(
    z
      .object({
        group: text,
        name: text,
        version: text,
        path: z.string(),
        size: z.number().catch(-1),
        lastUnpacked: z.number().catch(0),
      })
      .transform(({ lastUnpacked, ...rest }) => ({ ...rest, lastUnpacked: Math.max(0, lastUnpacked) })),
  ),
});
const installStatus = z.object({
  status: z.object({ finished: z.boolean(), itemCount: z.number().catch(0) }),
});
const bundleList = z.object({
  data: z.array(
    z.object({
      id: z.number(),
      symbolicName: z.string(),
      version: text,
      fragment: z.boolean().catch(false),
      stateRaw: z.number(),
      state: text,
    }),
  ),
});
const bundleDetails = z.object({
  data: z.array(z.object({ props: z.array(z.object({ key: z.string(), value: z.unknown() })).catch([]) })),
});
const verdict = z.object({ success: z.boolean().catch(false), msg: text, path: z.string().optional() });

/** CRX Package Manager over HTTP (`/crx/packmgr`), as AEM 6 has it. */
export function crxPackageManager(endpoint: Endpoint): PackageManager {
  const name = endpoint.url.replace(/\/+$/, '');
  const to: Endpoint = { ...endpoint, url: name };
  const command = async (path: string, cmd: string, signal?: AbortSignal): Promise<void> => {
    const answer = read(
      verdict,
      await askText(to, form(`${SERVICE}/.json${encoded(path)}`, { cmd }, signal)),
      name,
    );
    if (!answer.success) throw refused(name, `${cmd} ${path}`, [answer.msg]);
  };

  return {
    name,

    async list(signal) {
      return read(listed, await askText(to, { path: '/crx/packmgr/list.jsp', signal }), name).results;
    },

    async status(signal) {
      return read(installStatus, await askText(to, { path: '/crx/packmgr/installstatus.jsp', signal }), name)
        .status;
    },

    async bundles(signal) {
      const { data } = read(
        bundleList,
        await askText(to, { path: '/system/console/bundles.json', signal }),
        name,
      );
      return data.map(({ stateRaw, state, ...rest }) => ({ ...rest, state: stateRaw, stateName: state }));
    },

    async bundle(id, signal) {
      const answer = await askText(to, { path: `/system/console/bundles/${id}.json`, signal });
      const props = read(bundleDetails, answer, name).data[0]?.props ?? [];
      const lines = (key: string) =>
        props
          .filter((prop) => prop.key === key)
          .flatMap(({ value }) => (Array.isArray(value) ? value : [value]).map(String));
      return {
        lazy: lines('Manifest Headers').some((line) => /^Bundle-ActivationPolicy:\s*lazy\b/i.test(line)),
        problems: lines('Imported Packages')
          .filter((line) => line.startsWith('ERROR: '))
          .map((line) => line.slice('ERROR: '.length)),
      };
    },

    async upload(file, { signal, onSent } = {}) {
      const question = {
        path: `${SERVICE}/.json/?cmd=upload`,
        method: 'POST',
        signal,
        unlimited: true,
      } as const;
      const answer = read(
        verdict,
        await askText(to, { ...question, ...(await uploadBody(file, onSent)) }),
        name,
      );
      if (answer.success && answer.path?.startsWith('/')) return { path: answer.path };
      throw refused(name, 'the upload of a package', [answer.msg]);
    },

    async install(path, signal) {
      const log = new InstallLog();
      // recursive takes the packages inside along; the other fields say what AEM's own user interface says.
      const fields = {
        cmd: 'install',
        recursive: 'true',
        autosave: '1024',
        acHandling: '',
        dependencyHandling: 'required',
      };
      const question = form(`${SERVICE}/.html${encoded(path)}`, fields, signal);
      await ask(to, { ...question, unlimited: true }, (piece) => log.push(piece));
      switch (log.outcome) {
        case 'imported':
          return log.lines;
        case 'with errors':
          throw new Failure(
            'Damaged',
            `${name} installed ${path} with errors: ${log.problems[0] ?? 'AEM names none, see its error.log'}. Correct the package; what AEM could not import is missing there now.`,
            { details: log.problems },
          );
        case 'failed':
          throw refused(name, `the installation of ${path}`, log.problems);
        case 'unknown':
          throw new LostAnswer(`${name} did not say whether ${path} is installed`);
      }
    },

    uninstall: (path, signal) => command(path, 'uninstall', signal),
    remove: (path, signal) => command(path, 'delete', signal),
  };
}

const encoded = (path: string) => path.split('/').map(encodeURIComponent).join('/');

function form(path: string, fields: Record<string, string>, signal?: AbortSignal): Question {
  return {
    path,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
    signal,
  };
}

function read<T>(schema: z.ZodType<T>, answer: string, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    value = undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Failure(
    'Unavailable',
    `${name} answers something that is not the package manager's: ${JSON.stringify(answer.slice(0, 100))}. Check the URL of the instance.`,
  );
}

/** In these words AEM says that it could not write a file. */
const DISK_FULL = /Inaccessible value|package file parameter missing|No space left on device/i;

function refused(name: string, what: string, details: readonly string[]): Failure {
  const said = details[0] || 'without a reason';
  return new Failure('Rejected', `${name} refused ${what}: ${said}${remedy(said)}`, { details });
}

function remedy(said: string): string {
  if (DISK_FULL.test(said)) return '. Its disk is probably full: free space there.';
  if (said.includes('DependencyException'))
    return '. Deploy what is missing with this pipeline or install it there first.';
  return '';
}
