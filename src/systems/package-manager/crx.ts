import { z } from 'zod';
import { encoded, form, importedWithErrors, read, refused } from './answers.ts';
import { webConsole } from './console.ts';
import { ask, askText, LostAnswer, type Endpoint } from './http.ts';
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

    ...webConsole(to),

    async upload(file, { signal, onSent } = {}) {
      const question = {
        path: `${SERVICE}/.json/?cmd=upload`,
        method: 'POST',
        signal,
        unlimited: true,
      } as const;
      const answer = read(
        verdict,
        await askText(to, { ...question, ...(await uploadBody(file, 'package', onSent)) }),
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
          throw importedWithErrors(name, path, log.problems);
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
