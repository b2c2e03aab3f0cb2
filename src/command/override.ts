import { Command, Option } from 'commander';
import { gateSteps } from '../model/messages.ts';
import type { Metric } from '../model/gates.ts';
import { patiently } from '../client/patiently.ts';
import { decide, withSignal, type DecisionOptions } from './decide.ts';
import { Problem } from './problem.ts';
import { action, examples } from './session.ts';
import { executionAndStep, withStep } from './step-argument.ts';
import { findTarget } from './target.ts';

interface Options extends DecisionOptions {
  readonly accept?: boolean;
  readonly reject?: boolean;
  readonly kpi?: readonly string[];
  readonly comment?: string;
}

const isFailing = ({ severity, passed }: Metric) => severity === 'important' && !passed;

export const overrideCommand = (): Command =>
  withSignal(
    withStep(new Command('override'), gateSteps)
      .description('Accept or reject results below a quality gate')
      .addOption(
        new Option('--accept', 'go on in spite of the failing important metrics').conflicts('reject'),
      )
      .option('--reject', 'the execution ends as FAILED')
      .option(
        '--kpi <kpi...>',
        'what to accept; every failing important metric must be named, and is by default',
      )
      .option('--comment <text>', 'kept with the decision'),
  )
    .addHelpText(
      'after',
      examples(
        'fairway results 0000000007 codeQuality',
        'fairway override 0000000007 codeQuality --accept --comment "legacy code"',
        'fairway override 0000000007 codeQuality --accept --kpi coverage --kpi reliability_rating',
      ),
    )
    .action(
      action(async (session, first: string | undefined, second: string | undefined, options: Options) => {
        const { accept, reject, kpi, comment, signal } = options;
        const { reference, step } = executionAndStep(first, second, gateSteps);
        if (!accept && !reject)
          throw new Problem(
            'usage',
            'say --accept or --reject',
            'see what failed: fairway results EXECUTION STEP',
          );
        const execution = await findTarget(session, reference, { waitingFor: step });
        const kpis = kpi ?? (await failingKpis());
        const metrics = kpis.map((name) => ({ kpi: name, override: accept === true }));
        await decide(session, 'override', execution, { by: session.by, step, metrics, comment }, { signal });

        async function failingKpis(): Promise<string[]> {
          const client = await session.client();
          const state = await patiently(() => client.execution(execution));
          const metrics = state.steps.find(({ id }) => id === step)?.metrics ?? [];
          const failing = metrics.filter(isFailing).map((metric) => metric.kpi);
          if (failing.length > 0) return failing;
          throw new Problem(
            'refused',
            `no important metric of ${step} has failed in execution ${state.executionId}`,
          );
        }
      }),
    );
