import { Command, Option } from 'commander';
import type { ExecutionMode } from '../model/steps.ts';
import { patiently } from '../client/patiently.ts';
import { isFairwayError, Problem } from './problem.ts';
import { action, examples } from './session.ts';
import { emergency } from './execution-text.ts';

interface Options {
  readonly emergency?: boolean;
  readonly branch?: string;
  readonly tag?: string;
  readonly reExecute?: string;
  readonly watch?: boolean;
}

export const startCommand = (): Command =>
  new Command('start')
    .description('Start an execution of a pipeline')
    .argument('<pipeline>', 'id or unique name; PROGRAM/PIPELINE where it is not unique')
    .option('--emergency', 'without security and performance tests; the program must be activated for it')
    .addOption(new Option('--branch <name>', 'build this branch, this time').conflicts('tag'))
    .option('--tag <name>', 'build this tag, this time')
    .addOption(
      new Option(
        '--re-execute <execution>',
        "do the production deployment of the pipeline's last execution again, with what it built",
      ).conflicts(['emergency', 'branch', 'tag']),
    )
    .option('-w, --watch', "watch it to its end; the exit code is the execution's outcome")
    .addHelpText(
      'after',
      examples(
        'fairway start 2001',
        'fairway start Production --emergency --branch hotfix/login --watch',
        'fairway start Production --re-execute 0000000007      its production deployment had failed',
        'fairway start Production --watch -o json > outcome.json      in a CI job',
      ),
    )
    .action(
      action(async (session, pipeline: string, options: Options) => {
        const { branch, tag, watch } = options;
        const client = await session.client();
        const { program, thing } = await patiently(() => client.findPipeline(pipeline));
        const mode: ExecutionMode = options.emergency ? 'EMERGENCY' : 'NORMAL';
        const reExecutes = options.reExecute?.padStart(10, '0');
        const what = { programId: program.id, pipelineId: thing.id, mode, branch, tag, reExecutes };
        const started = await client.start({ ...what, by: session.by }).catch((error: unknown) => {
          throw isFairwayError(error) && error.kind === 'outcomeUnknown'
            ? new Problem(
                'unavailable',
                `outcome unknown: ${error.message}`,
                `look first whether it has started: fairway list --pipeline ${thing.id}`,
                'see whether a worker is running: fairway doctor',
              )
            : error;
        });
        const { executionId } = started;
        const address = { programId: program.id, pipelineId: thing.id, executionId };
        const line = `${emergency(mode, session.paint)}${program.name} · ${thing.name}, execution ${executionId}: started`;
        if (watch) {
          session.note(line);
          const { follow } = await import('./follow.ts');
          return follow(session, address);
        }
        await session.answer(
          { ...address, mode, workflowId: started.workflowId, runId: started.runId },
          () => [line, `  watch it: fairway watch ${executionId}`],
        );
      }),
    );
