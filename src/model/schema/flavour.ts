import type { z } from 'zod';
import { stepsOfFlavour, type StepId } from '../steps.ts';
import type { Pipeline } from './pipeline.ts';

interface Parts {
  readonly type: 'aem_managed_services' | 'aem_cloud_service';
  readonly pipelines: readonly Pipeline[];
  readonly timeouts: Readonly<Partial<Record<string, number>>>;
}

/** What a program says of steps that its flavour has not. */
export function checkFlavour({ type, pipelines, timeouts }: Parts, context: z.RefinementCtx): void {
  const steps = stepsOfFlavour(type);
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  pipelines.forEach((pipeline, index) => {
    if (pipeline.type === 'production' && pipeline.cse !== undefined && !steps.includes('managed'))
      problem(
        ['pipelines', index, 'cse'],
        'CSE Support is a step of Managed Services: leave it out in a program of Cloud Service',
      );
  });
  for (const [step, days] of Object.entries(timeouts))
    if (days !== undefined && !steps.includes(step as StepId))
      problem(
        ['timeouts', step],
        `no pipeline of Cloud Service has the step ${step}: it has ${steps.join(', ')}`,
      );
}
