import { Command } from 'commander';
import type { Program } from '../model/schema/definition.ts';
import type { Difference } from '../client/difference.ts';
import type { FairwayAccess } from '../client/access.ts';
import { clean, type Paint } from './output.ts';
import { action, examples } from './session.ts';

interface Options {
  readonly file: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** What applying would do to one program. */
interface Change {
  readonly programId: string;
  readonly programName: string;
  readonly change: 'created' | 'changed' | 'unchanged';
  /** The revision that the definition was compared with; 0 when there was none. */
  readonly from: number;
  readonly differences: readonly Difference[];
}

export const applyCommand = (): Command =>
  new Command('apply')
    .description('Define programs with their environments and pipelines; shows first what changes')
    .requiredOption('-f, --file <file or folder>', 'YAML or JSON, one program per document')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only show what would change')
    .addHelpText(
      'after',
      examples(
        'fairway apply -f fairway.yaml',
        'fairway apply -f programs/ --dry-run',
        'fairway apply -f fairway.yaml --yes',
      ),
    )
    .action(
      action(async (session, { file, yes, dryRun }: Options) => {
        const { readDefinitions } = await import('../client/definition-files.ts');
        const programs = await readDefinitions(file);
        const client = await session.client();
        const planned = await Promise.all(programs.map((program) => plan(client, program)));
        const changing = planned.filter(({ change }) => change !== 'unchanged');
        const { paint } = session;
        if (dryRun || changing.length === 0)
          return session.answer(planned, () => planned.flatMap((change) => lines(change, paint)));
        if (session.format === 'table') session.write(...changing.flatMap((change) => lines(change, paint)));
        await session.confirm('Apply it?', yes);
        const applied: (Omit<Change, 'from'> & { readonly revision: number })[] = [];
        for (const { from, ...change } of planned) {
          const program = programs.find(({ id }) => id === change.programId);
          const { revision } =
            change.change === 'unchanged'
              ? { revision: from }
              : await client.apply(program, from, session.by);
          applied.push({ ...change, revision });
        }
        await session.answer(applied, () =>
          applied.map(
            ({ programId, programName, change, revision }) =>
              `program ${programId} (${clean(programName)}) ${change}, revision ${revision}`,
          ),
        );
      }),
    );

async function plan(client: FairwayAccess, program: Program): Promise<Change> {
  const { difference } = await import('../client/difference.ts');
  const before = await client.program(program.id);
  const differences = difference(before?.definition, program);
  return {
    programId: program.id,
    programName: program.name,
    change: !before ? 'created' : differences.length > 0 ? 'changed' : 'unchanged',
    from: before?.revision ?? 0,
    differences,
  };
}

function lines({ programId, programName, change, differences }: Change, paint: Paint): string[] {
  const heading = paint('bold', `program ${programId} (${clean(programName)})`);
  if (change === 'unchanged') return [`${heading}: no change`];
  if (change === 'created') return [paint('green', '+ ') + heading, ...parts(differences[0]?.after, paint)];
  return [heading, ...differences.map((one) => differenceLine(one, paint))];
}

/** What a new program consists of. */
function parts(program: unknown, paint: Paint): string[] {
  const { environments = [], pipelines = [] } = (program ?? {}) as Partial<Program>;
  const line = (what: string, { id, name, type }: { id: string; name: string; type: string }) =>
    paint('green', `  + ${what} ${id} (${clean(name)}), ${type}`);
  return [
    ...environments.map((environment) => line('environment', environment)),
    ...pipelines.map((pipeline) => line('pipeline', pipeline)),
  ];
}

function differenceLine({ change, path, before, after }: Difference, paint: Paint): string {
  const said = (value: unknown) => clean(JSON.stringify(value) ?? '');
  if (change === 'added') return paint('green', `  + ${path}: ${said(after)}`);
  if (change === 'removed') return paint('red', `  - ${path}: ${said(before)}`);
  return paint('yellow', `  ~ ${path}: ${said(before)} -> ${said(after)}`);
}
