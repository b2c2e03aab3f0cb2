import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import { pause } from '../pause.ts';
import { encoded, form, importedWithErrors, read, refused } from './answers.ts';
import { webConsole } from './console.ts';
import { ask, askText, LostAnswer, type Endpoint } from './http.ts';
import { readInstallerReport, type InstallerItem } from './installer-report.ts';
import { JobLog } from './job-log.ts';
import { bundleStates, type Bundle, type ListedPackage, type PackageManager } from './package-manager.ts';
import { uploadBody } from './upload-body.ts';

const SERVICE = '/bin/cpm/package';
const JOBS = '/bin/cpm/core/jobcontrol';
const PACKAGE_JOBS = 'com/composum/sling/core/pckgmgr/PackageJobExecutor';
/** Composum's paths begin below it. */
const ROOT = '/etc/packages';
const POLL_MS = 150;
/** States of a job that has not ended. */
const UNDONE = ['QUEUED', 'ACTIVE'];
/** A job that has just ended is not found for a moment, while it goes from the queue to the archive. */
const SILENT_MS = 3_000;

const text = z.string().catch('');
const listed = z.array(
  z.object({
    path: z.string(),
    definition: z.object({ group: text, name: text, version: text, lastUnpacked: text }),
  }),
);
const answered = z.object({ status: text, path: text });
const job = z.object({
  'slingevent:eventId': z.string(),
  jobState: z.string(),
  'slingevent:resultMessage': text,
});
const sizes = z.object({
  repo: z.object({
    response: z.object({
      data: z.object({
        packages: z
          .object({
            package: z
              .array(z.object({ group: text, name: text, version: text, size: z.coerce.number() }))
              .catch([]),
          })
          .catch({ package: [] }),
      }),
    }),
  }),
});
const xml = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'package' });

/**
 * Composum's package manager over HTTP (`/bin/cpm`), as Apache Sling has it. Installing goes through its job control,
 * as its own user interface does: the answer of `package.install` says "done" whatever became of the import, while a
 * job has a state and a log (Composum Nodes 4.2.2, `PackageServlet`, `PackageJobExecutor`, `JobControlServlet`).
 */
export function composumPackageManager(endpoint: Endpoint): PackageManager {
  const name = endpoint.url.replace(/\/+$/, '');
  const to: Endpoint = { ...endpoint, url: name, forbidsWhileStarting: true };
  const console_ = webConsole(to);

  /** What a job has come to; undefined for as long as Composum does not know it. */
  async function look(id: string, signal?: AbortSignal) {
    const answer = await askText(to, { path: `${JOBS}.job.json/${encoded(id)}`, signal });
    return answer === '' ? undefined : read(job, answer, name);
  }

  /** Composum does the job when its turn comes, and once more if the server is restarted meanwhile. */
  async function perform(operation: 'install' | 'uninstall', path: string, signal?: AbortSignal) {
    const fields = {
      'event.job.topic': PACKAGE_JOBS,
      reference: below(path),
      operation,
      outfileprefix: 'fairway',
      _charset_: 'UTF-8',
    };
    let now = read(job, await askText(to, form(`${JOBS}.job.json`, fields, signal)), name);
    const id = now['slingevent:eventId'];
    for (let heard = Date.now(); UNDONE.includes(now.jobState);) {
      await pause(POLL_MS, signal);
      try {
        const found = await look(id, signal);
        if (found) [now, heard] = [found, Date.now()];
        else if (Date.now() - heard > SILENT_MS)
          throw new Failure(
            'Unavailable',
            `${name} no longer knows of the job that was to ${operation} ${path}`,
          );
      } catch (error) {
        if (!(error instanceof Failure) || error.type !== 'Unavailable') throw error;
        if (Date.now() - heard > SILENT_MS) throw new LostAnswer(error.message, error);
      }
    }
    const log = new JobLog();
    const question = { path: `${JOBS}.outfile.txt/${encoded(id)}`, signal };
    await ask(to, question, (piece) => log.push(piece)).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (!(error instanceof Failure)) throw error; // the state alone tells the outcome as well
    });
    log.push('\n');
    const { jobState, 'slingevent:resultMessage': message } = now;
    return { succeeded: jobState === 'SUCCEEDED', problems: [...log.problems, message].filter(Boolean), log };
  }

  return {
    name,

    async list(signal) {
      const packages = await askText(to, { path: `${SERVICE}.list.json`, signal });
      const ls = await askText(to, form(`${SERVICE}.service.html`, { cmd: 'ls' }, signal)).catch(notThere);
      const size = sizesIn(ls);
      return read(listed, packages, name).map(({ path, definition }) => ({
        group: definition.group,
        name: definition.name,
        version: definition.version,
        path: `${ROOT}${path}`,
        size: size.get(idOf(definition)) ?? -1,
        lastUnpacked: Date.parse(`${definition.lastUnpacked.replace(' ', 'T')}Z`) || 0,
      }));
    },

    async status(signal) {
      const path = '/system/console/status-osgi-installer.txt';
      const report = readInstallerReport(await askText(to, { path, signal }));
      if (!report)
        throw new Failure('Unavailable', `${name}${path} does not tell what the OSGi installer does.`);
      const failures = report.failed.map(({ name: of, error }) => ({ name: of, reason: error }));
      if (report.active.length === 0) return { finished: true, itemCount: 0, failures };
      const [bundles, packages] = await Promise.all([console_.bundles(signal), this.list(signal)]);
      const itemCount = report.active.filter((item) => !isStuck(item, bundles, packages)).length;
      return { finished: itemCount === 0, itemCount, failures };
    },

    ...console_,

    async upload(file, { signal, onSent } = {}) {
      const question = { path: `${SERVICE}.upload.json`, method: 'POST', signal, unlimited: true } as const;
      const answer = await askText(to, { ...question, ...(await uploadBody(file, 'file', onSent)) });
      // What is not a content package gets status 200 and nothing else.
      if (answer === '')
        throw refused(name, 'the upload of a package', [
          'it is not a content package that can be read; the error.log there says more',
        ]);
      const { status, path } = read(answered, answer, name);
      if (status === 'successful' && path.startsWith('/')) return { path: `${ROOT}${path}` };
      throw refused(name, 'the upload of a package', [status]);
    },

    async install(path, signal) {
      const { succeeded, problems, log } = await perform('install', path, signal);
      if (log.outcome === 'with errors') throw importedWithErrors(name, path, log.problems);
      if (succeeded && log.outcome !== 'failed') return log.lines;
      throw refused(name, `the installation of ${path}`, problems);
    },

    async uninstall(path, signal) {
      const { succeeded, problems, log } = await perform('uninstall', path, signal);
      if (!succeeded || log.outcome === 'failed')
        throw refused(name, `the uninstallation of ${path}`, problems);
    },

    async remove(path, signal) {
      const question = { path: `${SERVICE}.json${encoded(below(path))}`, method: 'DELETE', signal } as const;
      const { status } = read(answered, await askText(to, question), name);
      if (status !== 'successful') throw refused(name, `delete ${path}`, [status]);
    },
  };
}

const below = (path: string) => path.replace(/^\/etc\/packages(?=\/)/, '');
const idOf = ({ group, name, version }: { group: string; name: string; version: string }) =>
  `${group}:${name}:${version}`;

/**
 * What answers to this POST, which changes nothing, comes up last when Sling starts; until then Sling's own servlet
 * refuses it in any way, although the same user was just given the list.
 */
function notThere(error: unknown): never {
  if (!(error instanceof Failure)) throw error;
  throw new Failure('Unavailable', error.message, { cause: error });
}

function sizesIn(ls: string): ReadonlyMap<string, number> {
  const found = sizes.safeParse(xml.parse(ls));
  const all = found.success ? found.data.repo.response.data.packages.package : [];
  return new Map(all.map((one) => [idOf(one), one.size]));
}

/**
 * What the installer took up and cannot bring to an end: a bundle that does not resolve, a package that waits for
 * another one. It tries again when something changes and stays on its list until then; it is not at work.
 */
function isStuck(
  { kind, name, version }: InstallerItem,
  bundles: readonly Bundle[],
  packages: readonly ListedPackage[],
): boolean {
  if (kind === 'bundle')
    return bundles.some(
      (bundle) =>
        bundle.symbolicName === name &&
        bundle.version === version &&
        [bundleStates.installed, bundleStates.resolved].some((state) => state === bundle.state),
    );
  return (
    kind === 'package' &&
    packages.some(
      (one) => `${one.group}:${one.name}` === name && one.version === version && one.lastUnpacked === 0,
    )
  );
}
