import { z } from 'zod';
import { combine, healthCheckOf, securityKpis, type SecurityKpi } from '../../model/security.ts';
import { messageOf } from '../failure.ts';
import { askHttp } from '../http-ask.ts';
import { failed, passed, unknown, type NodeKind, type SecurityCheck, type Verdict } from './target.ts';

const SERVLET = '/system/health.json';
/** Health checks look around; the servlet itself waits for each of them for a few seconds. */
const ANSWER_MS = 60_000;
const LONGEST_EVIDENCE = 300;

const report = z.object({
  results: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      messages: z.array(z.object({ status: z.string().catch(''), message: z.string().catch('') })).catch([]),
    }),
  ),
});
type Result = z.infer<typeof report>['results'][number];

export interface HealthChecks {
  readonly verdicts: ReadonlyMap<SecurityKpi, Verdict>;
  /** Why there are none or not all. */
  readonly why: string;
}

/**
 * What an instance's own health checks say, asked by their names: unfiltered, the servlet also reports on how long
 * requests take, which says nothing about security. An instance without the servlet has none.
 */
export async function askHealthChecks(
  url: string,
  credentials: string,
  signal?: AbortSignal,
): Promise<HealthChecks> {
  const names = securityKpis.map(healthCheckOf).join(',');
  const query = new URLSearchParams({ names, forceInstantExecution: 'true' }).toString();
  const question = new URL(`${SERVLET}?${query}`, url);
  const authorization = `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
  try {
    const answer = await askHttp(question, { headers: { authorization }, signal, timeOutMs: ANSWER_MS });
    // A failing health check makes the servlet answer 503, with the report all the same.
    const { success, data } = report.safeParse(jsonOf(answer.body));
    if (!success)
      return { verdicts: new Map(), why: `${SERVLET} answered ${answer.status} without a report` };
    const byKpi = securityKpis.map((kpi) => [kpi, verdictOf(named(kpi, data.results))] as const);
    return {
      verdicts: new Map(byKpi.flatMap(([kpi, verdict]) => (verdict ? [[kpi, verdict]] : []))),
      why: `${SERVLET} does not report on it`,
    };
  } catch (error) {
    signal?.throwIfAborted();
    return { verdicts: new Map(), why: messageOf(error) };
  }
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const plain = (name: string) =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim();

const named = (kpi: SecurityKpi, results: readonly Result[]) =>
  results.filter(({ name }) => plain(name) === plain(healthCheckOf(kpi)));

const outcomes = { OK: 'passed', WARN: 'failed', CRITICAL: 'failed' } as const;

function verdictOf(results: readonly Result[]): Verdict | undefined {
  if (results.length === 0) return undefined;
  const outcome = combine(results.map(({ status }) => outcomes[status as 'OK'] ?? 'unknown'));
  const said = results.flatMap(({ status, messages }) => [
    status,
    ...messages
      .filter((line) => !['OK', 'INFO', 'DEBUG'].includes(line.status))
      .map(({ message }) => message),
  ]);
  const evidence = `health check "${results[0]?.name}": ${said.join('; ')}`.slice(0, LONGEST_EVIDENCE);
  return { passed, failed, unknown }[outcome](evidence);
}

const instances: readonly NodeKind[] = ['author', 'publish'];

/** What shows in no answer that a visitor or an administrator gets over HTTP: only the instance itself can tell. */
export const insideChecks: readonly SecurityCheck[] = (
  [
    'deserialization_firewall_attach_api_readiness',
    'deserialization_firewall_functional',
    'deserialization_firewall_loaded',
    'authorizable_node_name_generation',
    'sling_java_script_handler',
    'sling_jsp_script_handler',
    'ssl_configuration',
    'replication_and_transport_users',
  ] as const
).map((kpi) => ({
  kpi,
  concerns: instances,
  check: async ({ noHealthCheck = 'it was not asked' }) =>
    unknown(`only the health check "${healthCheckOf(kpi)}" of the instance can tell, and ${noHealthCheck}`),
}));
