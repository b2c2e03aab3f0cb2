import { Command } from 'commander';
import { kindArgument, type Kind } from './get.ts';
import { action, examples } from './session.ts';

interface Options {
  readonly program?: string;
  readonly yes?: boolean;
}

export const deleteCommand = (): Command =>
  new Command('delete')
    .description('Delete a program, an environment or a pipeline; its executions stay')
    .addArgument(kindArgument())
    .argument('<id>', 'id or unique name')
    .option('--program <id or name>', 'the program that it belongs to')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples('fairway delete pipeline 2001', 'fairway delete program 1001 --yes'))
    .action(
      action(async (session, kind: Kind, id: string, { program: inProgram, yes }: Options) => {
        const client = await session.client();
        const known = inProgram === undefined ? undefined : (await client.findProgram(inProgram)).definition;
        if (kind === 'programs') {
          const { id: programId, name } = (await client.findProgram(id)).definition;
          const what = `program ${programId} (${name})`;
          const { environments = [], pipelines = [] } = (await client.program(programId))?.definition ?? {};
          await session.confirm(
            `Delete ${what} with ${environments.length} environments and ${pipelines.length} pipelines?`,
            yes,
          );
          await client.deleteProgram(programId, session.by);
          return session.answer({ deleted: { programId } }, () => [`${what} deleted`]);
        }
        const { program, thing } =
          kind === 'pipelines'
            ? await client.findPipeline(id, known?.id)
            : await client.findEnvironment(id, known?.id);
        const what = `${kind.slice(0, -1)} ${thing.id} (${thing.name}) of program ${program.id} (${program.name})`;
        await session.confirm(`Delete ${what}?`, yes);
        if (kind === 'pipelines') await client.deletePipeline(program.id, thing.id, session.by);
        else await client.deleteEnvironment(program.id, thing.id, session.by);
        const key = kind === 'pipelines' ? 'pipelineId' : 'environmentId';
        await session.answer({ deleted: { programId: program.id, [key]: thing.id } }, () => [
          `${what} deleted`,
        ]);
      }),
    );
