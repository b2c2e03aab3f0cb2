import type { z } from 'zod';
import { codeQualityMetrics } from '../code-quality.ts';
import { stepsOfFlavour, type StepId } from '../steps.ts';
import { uselessVariable } from '../variables.ts';
import { performanceSchema, type PerformanceGoals } from './performance.ts';
import type { Pipeline } from './pipeline.ts';
import type { QualityGates } from './quality-gates.ts';

interface Parts {
  readonly type: 'aem_managed_services' | 'aem_cloud_service';
  readonly pipelines: readonly Pipeline[];
  readonly timeouts: Readonly<Partial<Record<string, number>>>;
  readonly performance: PerformanceGoals;
  readonly qualityGates: QualityGates;
}

/** What a program says of steps and gates that its flavour has not: nobody would ever look at it. */
export function checkFlavour(
  { type, pipelines, timeouts, performance, qualityGates }: Parts,
  context: z.RefinementCtx,
): void {
  const steps = stepsOfFlavour(type);
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  pipelines.forEach((pipeline, index) => {
    if (pipeline.type === 'production' && pipeline.cse !== undefined && !steps.includes('managed'))
      problem(
        ['pipelines', index, 'cse'],
        'CSE Support is a step of Managed Services: leave it out in a program of Cloud Service',
      );
    for (const name of Object.keys(pipeline.variables)) {
      const useless = uselessVariable(name, { flavour: type, type: pipeline.type });
      if (useless !== undefined) problem(['pipelines', index, 'variables', name], `${useless}: leave it out`);
    }
  });
  for (const [step, days] of Object.entries(timeouts))
    if (days !== undefined && !steps.includes(step as StepId))
      problem(
        ['timeouts', step],
        `no pipeline of Cloud Service has the step ${step}: it has ${steps.join(', ')}`,
      );
  if (type === 'aem_managed_services') return;
  // Kept definitions are filled in with what is usual: that says nothing.
  for (const [path, value] of differences(performance, performanceSchema.parse({})))
    problem(
      ['performance', ...path],
      `${JSON.stringify(value)} is for Performance Testing, a step of Managed Services: leave it out in a program of Cloud Service`,
    );
  const kpis = [...new Set(codeQualityMetrics(type).map(({ kpi }) => kpi))];
  for (const [kpi, setting] of Object.entries(qualityGates))
    if (setting !== undefined && !kpis.includes(kpi))
      problem(
        ['qualityGates', kpi],
        `${JSON.stringify(setting)} is for a gate of Managed Services: leave it out in a program of Cloud Service, ` +
          `whose gate has ${kpis.join(', ')}`,
      );
}

/** The places where a value is another than in what is usual, with the values. */
function differences(
  value: unknown,
  usual: unknown,
  path: string[] = [],
): [path: string[], value: unknown][] {
  if (isRecord(value) && isRecord(usual))
    return Object.keys(value).flatMap((key) => differences(value[key], usual[key], [...path, key]));
  return JSON.stringify(value) === JSON.stringify(usual) ? [] : [[path, value]];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
