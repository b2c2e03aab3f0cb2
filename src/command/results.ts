import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { expectationOf, type Metric } from '../model/gates.ts';
import { allStepIds } from '../model/steps.ts';
import { nameOfCopy } from '../client/files.ts';
import { clean, table, type Cell } from './output.ts';
import { action, examples } from './session.ts';
import { executionAndStep, withStep } from './step-argument.ts';
import { findTarget } from './target.ts';

export const resultsCommand = (): Command =>
  withStep(new Command('results'))
    .description('Show what a step found or made; -o json or yaml gives all of it')
    .option(
      '--download <folder>',
      'copy its files there: results (JSON), findings (CSV, SARIF), time series (CSV, SVG), images (OCI)',
    )
    .addHelpText(
      'after',
      examples(
        'fairway results codeQuality',
        'fairway results codeQuality --download build',
        'fairway results 0000000007 securityTest -o json',
      ),
    )
    .action(
      action(async (session, first: string | undefined, second: string | undefined, options: Options) => {
        const { reference, step } = executionAndStep(first, second, allStepIds);
        const { programId, pipelineId, executionId } = await findTarget(session, reference, { orLast: true });
        const client = await session.client();
        const results = await client.results({ programId, pipelineId, executionId }, step);
        const files = [...(results.file ? [results.file] : []), ...results.files.map(({ file }) => file)];
        if (options.download !== undefined) {
          for (const file of files) {
            const path = join(options.download, nameOfCopy(file.key));
            await mkdir(dirname(path), { recursive: true });
            await client.download({ file }, path);
            session.note(`${path}  ${file.size} bytes, SHA-256 as stored`);
          }
        }
        await session.answer(results, () => [
          ...(results.metrics.length === 0
            ? [
                ...(results.details ? [clean(results.details)] : []),
                `step ${step} of execution ${executionId} has no metrics${results.file ? '; -o json gives its results' : ''}`,
              ]
            : table(headings, results.metrics.map(row), session.paint)),
          ...results.files.map(
            ({ kind, file: { key, size } }) => `${kind}: ${clean(nameOfCopy(key))}, ${size} bytes`,
          ),
        ]);
      }),
    );

interface Options {
  readonly download?: string;
}

const headings = ['KPI', 'SEVERITY', 'ACTUAL', 'EXPECTED', 'RESULT'];

const row = (metric: Metric): (string | Cell)[] => [
  metric.kpi,
  metric.severity,
  metric.actualValue,
  expectationOf(metric),
  metric.passed
    ? { text: 'passed', style: 'green' }
    : metric.override
      ? { text: 'failed, accepted', style: 'yellow' }
      : { text: 'failed', style: metric.severity === 'informational' ? 'yellow' : 'red' },
];
