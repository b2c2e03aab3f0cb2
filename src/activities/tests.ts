import type { Activities, TestOutcome } from '../model/activities.ts';
import { codeQualityMetrics, measureCodeQuality } from '../model/code-quality.ts';
import { evaluate, type Metric } from '../model/gates.ts';
import { measurePerformance, performanceMetrics } from '../model/performance.ts';
import type { Environment } from '../model/schema/definition.ts';
import { combine, securityMetrics } from '../model/security.ts';
import { generateLoad } from '../systems/http-load.ts';
import { checkSecurity } from '../systems/security-checks/check.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';

export const testActivities = ({
  storage,
}: {
  storage: Storage;
}): Pick<Activities, 'codeQuality' | 'securityTest' | 'loadTest'> => {
  const finish = async (
    step: 'codeQuality' | 'securityTest' | 'loadTest',
    { executionKey, log }: { executionKey: string; log: string },
    metrics: readonly Metric[],
    details: object,
  ): Promise<TestOutcome> => {
    const results = JSON.stringify({ metrics, ...details }, undefined, 2);
    await stepLog(storage, log, step)(metrics.map(line).join('\n') || 'nothing to check');
    return { metrics, results: await storage.put(`${executionKey}/results/${step}.json`, results) };
  };

  return {
    async codeQuality(input) {
      const metrics = evaluate(codeQualityMetrics, measureCodeQuality(input.reports));
      return finish('codeQuality', input, metrics, { reports: input.reports });
    },

    securityTest: (input) =>
      whileHeartbeating(async (signal) => {
        const findings = await checkSecurity(input.environment, signal);
        const say = stepLog(storage, input.log, 'securityTest');
        for (const { kpi, node, outcome, evidence } of findings)
          if (outcome !== 'passed') await say(`${kpi} ${outcome} on ${node}: ${evidence}`);
        const kpis = [...new Set(findings.map(({ kpi }) => kpi))];
        const measured = kpis.map((kpi) => {
          const outcomes = findings.filter((finding) => finding.kpi === kpi).map(({ outcome }) => outcome);
          const combined = combine(outcomes);
          return [kpi, combined === 'unknown' ? undefined : combined] as const;
        });
        const metrics = evaluate(securityMetrics(kpis), Object.fromEntries(measured));
        return finish('securityTest', input, metrics, { findings });
      }),

    loadTest: (input) =>
      whileHeartbeating(async (signal, beat) => {
        const { environment, goals } = input;
        const addresses = addressesOf(environment);
        const say = stepLog(storage, input.log, 'loadTest');
        await say(
          `${goals.viewsPerMinute} views per minute for ${goals.durationSeconds} s at ${addresses.join(', ')}`,
        );
        let done = 0;
        const load = (url: string) =>
          generateLoad({
            url,
            paths: [...goals.paths, environment.probe.path],
            host: environment.probe.host,
            requestsPerSecond: goals.viewsPerMinute / 60 / addresses.length,
            sticky: 0,
            userAgent: 'fairway-load-test',
            durationMs: goals.durationSeconds * 1000,
            signal,
            onResult: () => beat(`${++done} pages`),
          });
        const loads = await Promise.all(addresses.map(async (url) => ({ url, ...(await load(url)) })));
        signal.throwIfAborted();
        for (const { at, path, failure } of loads.flatMap(({ failures }) => failures))
          await say(`${at} ${path} ${failure ?? ''}`);
        return finish('loadTest', input, evaluate(performanceMetrics(goals), measurePerformance(loads)), {
          loads,
        });
      }),
  };
};

/** Where visitors come; without a load balancer every dispatcher, without dispatchers every publish instance. */
function addressesOf({ loadBalancer, dispatchers, publish }: Environment): readonly string[] {
  if (loadBalancer) return [loadBalancer.url];
  return (dispatchers.length > 0 ? dispatchers : publish).map(({ url }) => url);
}

const line = ({ kpi, severity, actualValue, comparator, expectedValue, passed }: Metric) =>
  `${passed ? 'passed' : 'FAILED'} ${kpi} (${severity}): ${actualValue}, expected ${comparator} ${expectedValue}`;
