import { z } from 'zod';
import type { Finding } from '../../../model/findings.ts';
import { Failure } from '../../failure.ts';
import { askHttp, type Answer } from '../../http-ask.ts';
import { pause } from '../../pause.ts';
import { findingOfHotspot, findingOfIssue, hotspotSchema, issueSchema } from './findings.ts';

/** A SonarQube server and how it is entered. */
export interface SonarqubeAccess {
  readonly url: string;
  /** Name of the secret that holds the token, for messages. */
  readonly secret: string;
  readonly token: string;
}

export interface Limits {
  /** For one answer. */
  readonly answerMs: number;
  /** Between two questions whether an analysis is ready. */
  readonly pollMs: number;
  /** How long a server may be away once an analysis has begun: it may be restarted. */
  readonly patienceMs: number;
  /** How long the server may take for a report, with all that wait before it. */
  readonly taskMs: number;
}

const LARGEST = 16 * 1024 * 1024;
const PAGE = 500;
/** SonarQube lists no more than 10,000 of anything. */
const MOST_PAGES = 20;

/** Cloud Manager's; tokens, measures and hotspots are asked for as this version has them. */
const OLDEST = [9, 9] as const;

/** A version of another form is taken for a newer one. */
function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  return major > 0 && (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]));
}

const statusSchema = z.object({ status: z.string(), version: z.string() });
const taskSchema = z.object({
  task: z.object({
    status: z.enum(['PENDING', 'IN_PROGRESS', 'SUCCESS', 'FAILED', 'CANCELED']),
    errorMessage: z.string().optional(),
  }),
});
const measuresSchema = z.object({
  component: z.object({ measures: z.array(z.object({ metric: z.string(), value: z.string().optional() })) }),
});
const paging = z.object({ total: z.number() });

export type Task = z.infer<typeof taskSchema>['task'];
export type Sonarqube = ReturnType<typeof sonarqubeServer>;

/**
 * The part of SonarQube's Web API (9.9) that an analysis needs. All of it throws Failures: `Unavailable` when the server
 * is away, starting or broken, `Denied` for its token, `Missing` when this is no SonarQube or has not what is asked for;
 * or the signal's reason.
 */
export function sonarqubeServer(
  { url, secret, token }: SonarqubeAccess,
  limits: Limits,
  signal: AbortSignal,
) {
  const authorization = `Basic ${Buffer.from(`${token}:`).toString('base64')}`;

  async function once<T>(
    path: string,
    query: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const target = new URL(url);
    target.pathname = `${target.pathname.replace(/\/+$/, '')}/api/${path}`;
    target.search = new URLSearchParams(query).toString();
    const options = { headers: { authorization }, signal, timeOutMs: limits.answerMs, most: LARGEST };
    const answer = await askHttp(target, options);
    refuseStatus(path, answer);
    if (answer.body.length >= LARGEST) throw noSonarqube(path, 'answers with more than 16 MiB');
    try {
      return schema.parse(JSON.parse(answer.body));
    } catch (cause) {
      throw noSonarqube(path, 'does not answer as SonarQube does', cause);
    }
  }

  /** Waits for a server that is away for a while. */
  async function ask<T>(
    path: string,
    query: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const until = Date.now() + limits.patienceMs;
    for (;;) {
      try {
        return await once(path, query, schema);
      } catch (error) {
        const isAway = error instanceof Failure && error.type === 'Unavailable';
        if (!isAway || Date.now() >= until) throw error;
      }
      await pause(limits.pollMs, signal);
    }
  }

  const noSonarqube = (path: string, what: string, cause?: unknown) =>
    new Failure('Missing', `${url}/api/${path} ${what}: check the URL of the SonarQube server`, { cause });

  function refuseStatus(path: string, { status, headers, body }: Answer): void {
    if (status === 200) return;
    const asked = `${url}/api/${path}`;
    if (status === 401 || status === 403) throw denied(`${asked} answers with status ${status}`);
    if (status === 429 || status >= 500)
      throw new Failure('Unavailable', `SonarQube is not available: ${asked} answers with status ${status}`);
    if (status >= 300 && status < 400)
      throw noSonarqube(path, `sends elsewhere, to ${String(headers.location).slice(0, 200)}`);
    throw new Failure('Missing', `${asked} answers with status ${status}`, { details: [body.slice(0, 300)] });
  }

  const denied = (because: string) =>
    new Failure(
      'Denied',
      `SonarQube at ${url} refuses the token of the secret ${secret} (${because}). ` +
        'It must hold a user token that has not expired, of a user who may create projects, analyse and browse them.',
    );

  /** All pages of a list that may go on for ever. */
  async function list<T>(
    path: string,
    query: Readonly<Record<string, string>>,
    schema: z.ZodType<{ total: number; items: readonly T[] }>,
  ): Promise<{ readonly items: readonly T[]; readonly whole: boolean }> {
    const items: T[] = [];
    for (let page = 1; page <= MOST_PAGES; page++) {
      const answer = await ask(path, { ...query, p: String(page), ps: String(PAGE) }, schema);
      items.push(...answer.items.slice(0, PAGE));
      if (items.length >= answer.total || answer.items.length === 0)
        return { items, whole: items.length >= answer.total };
    }
    return { items, whole: false };
  }

  return {
    denied,

    /** Whether it runs, can be used and takes the token. @returns its version */
    async check(): Promise<string> {
      const { status, version } = await once('system/status', {}, statusSchema);
      if (status !== 'UP')
        throw new Failure(
          'Unavailable',
          `SonarQube at ${url} is not ready: its status is ${status.slice(0, 50)}`,
        );
      if (isOlder(version))
        throw new Failure(
          'Rejected',
          `SonarQube at ${url} has version ${version.slice(0, 50)}: ${OLDEST.join('.')} or later is needed`,
        );
      const { valid } = await once('authentication/validate', {}, z.object({ valid: z.boolean() }));
      if (!valid) throw denied('it is not valid');
      return version.slice(0, 50);
    },

    /** What has become of a report that was sent. */
    task: async (id: string): Promise<Task> => (await ask('ce/task', { id }, taskSchema)).task,

    /** Values by metric; what was not measured is absent. */
    async measures(component: string, metrics: readonly string[]): Promise<ReadonlyMap<string, string>> {
      const query = { component, metricKeys: metrics.join() };
      const { component: found } = await ask('measures/component', query, measuresSchema);
      return new Map(
        found.measures.flatMap(({ metric, value }) => (value === undefined ? [] : [[metric, value]])),
      );
    },

    /** The open issues, the worst first; not `whole` where SonarQube does not list them all. */
    async issues(project: string): Promise<{ readonly items: readonly Finding[]; readonly whole: boolean }> {
      const query = { componentKeys: project, resolved: 'false', s: 'SEVERITY', asc: 'false' };
      const schema = z
        .object({ paging, issues: z.array(issueSchema) })
        .transform(({ paging: { total }, issues }) => ({
          total,
          items: issues.map((issue) => findingOfIssue(issue, project)),
        }));
      return list('issues/search', query, schema);
    },

    /** The hotspots that nobody has looked at. */
    async hotspots(project: string): Promise<readonly Finding[]> {
      const schema = z
        .object({ paging, hotspots: z.array(hotspotSchema) })
        .transform(({ paging: { total }, hotspots }) => ({
          total,
          items: hotspots.map((hotspot) => findingOfHotspot(hotspot, project)),
        }));
      return (await list('hotspots/search', { projectKey: project, status: 'TO_REVIEW' }, schema)).items;
    },
  };
}
