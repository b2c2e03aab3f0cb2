import { healthCheckOf, securityKpis } from '../../model/security.ts';
import { json, type Answer } from './answer.ts';
import type { Weakness } from './weaknesses.ts';

/** One that is not about security: an instance has many, and their worst is not what a security test asks for. */
const SLOW = { name: 'Request Duration', status: 'CRITICAL', message: 'requests take 5012 ms on average' };

/**
 * The health check servlet, as Apache Felix has it: `names` chooses, no names are all. Its status is 503 as soon as one
 * of them is critical.
 */
export function healthReport(url: URL, insecure: ReadonlySet<Weakness>): Answer {
  const wanted = (url.searchParams.get('names') ?? '').split(',').filter((name) => name !== '');
  const all = [
    SLOW,
    ...securityKpis.map((kpi) =>
      insecure.has(kpi)
        ? { name: healthCheckOf(kpi), status: 'CRITICAL', message: 'not as hardened instances have it' }
        : { name: healthCheckOf(kpi), status: 'OK', message: 'as hardened instances have it' },
    ),
  ];
  const results = all
    .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
    .map(({ name, status, message }) => ({
      ...{ name, status, timeInMs: 1, finishedAt: new Date().toISOString(), tags: ['security'] },
      messages: [{ status, message }],
    }));
  const worst = results.some(({ status }) => status === 'CRITICAL') ? 'CRITICAL' : 'OK';
  return json({ overallResult: worst, results }, worst === 'OK' ? 200 : 503);
}
