import type { Activities } from '../model/activities.ts';
import { combine, securityMetrics } from '../model/security.ts';
import { csv } from '../systems/csv.ts';
import { checkSecurity } from '../systems/security-checks/check.ts';
import type { Deps } from './deps.ts';
import { testOfStage } from './test-of-stage.ts';
import { keepOutcome } from './test-outcome.ts';

export const securityTestActivities = ({ storage, secret }: Deps): Pick<Activities, 'securityTest'> => ({
  securityTest: testOfStage(
    storage,
    'securityTest',
    async (input: Parameters<Activities['securityTest']>[0], { signal, say }) => {
      const findings = await checkSecurity(input.environment, { secret, signal });
      const notPassed = findings.filter(({ outcome }) => outcome !== 'passed');
      for (const { kpi, node, outcome, evidence } of notPassed)
        await say(`${kpi} ${outcome} on ${node}: ${evidence}`);
      const kpis = [...new Set(findings.map(({ kpi }) => kpi))];
      const measured = kpis.map((kpi) => {
        const outcomes = findings.filter((finding) => finding.kpi === kpi).map(({ outcome }) => outcome);
        const combined = combine(outcomes);
        return [kpi, combined === 'unknown' ? undefined : combined] as const;
      });
      const step = { step: 'securityTest', ...input } as const;
      const rows = securityMetrics(kpis);
      const outcome = await keepOutcome(storage, step, rows, Object.fromEntries(measured), { findings });
      if (notPassed.length === 0) return outcome;
      const table = csv(
        ['check', 'node', 'outcome', 'evidence'],
        notPassed.map(({ kpi, node, outcome: found, evidence }) => [kpi, node, found, evidence]),
      );
      return {
        ...outcome,
        findings: [await storage.put(`${input.executionKey}/results/securityTest.csv`, table)],
      };
    },
  ),
});
