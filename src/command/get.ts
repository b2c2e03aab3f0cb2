import { Argument, Command, InvalidArgumentError } from 'commander';
import type { Environment, Pipeline, Program } from '../model/schema/definition.ts';
import type { FairwayAccess, KnownProgram } from '../client/access.ts';
import { clean, table, type Cell } from './output.ts';
import { action, examples, type Session } from './session.ts';
import { localTime } from './times.ts';

const kinds = ['programs', 'environments', 'pipelines'] as const;
export type Kind = (typeof kinds)[number];

/** The words for a kind that the command takes: `pipelines` and `pipeline`. */
export const kindArgument = (): Argument =>
  new Argument('<kind>', `${kinds.join(', ')}`).argParser((text) => {
    const kind = kinds.find((known) => known === text || known === `${text}s`);
    if (kind) return kind;
    throw new InvalidArgumentError(`Allowed choices are ${kinds.join(', ')}.`);
  });

export const getCommand = (): Command =>
  new Command('get')
    .description('Show what is defined; `get programs ID -o yaml` is a backup that `apply -f` takes')
    .addArgument(kindArgument())
    .argument('[id]', 'id or unique name; all of them where it is left out')
    .option('--program <id or name>', 'only those of this program')
    .addHelpText(
      'after',
      examples(
        'fairway get programs',
        'fairway get pipelines Production -o yaml',
        'fairway get programs 1001 -o yaml > fairway.yaml',
      ),
    )
    .action(
      action(async (session, kind: Kind, id: string | undefined, options: { program?: string }) => {
        if (kind === 'programs') return programs(session, id);
        const client = await session.client();
        const program = options.program === undefined ? undefined : await client.findProgram(options.program);
        const programId = program?.definition.id;
        const only =
          id === undefined
            ? undefined
            : kind === 'pipelines'
              ? await client.findPipeline(id, programId)
              : await client.findEnvironment(id, programId);
        const found = (await definitions(client, only?.program.id ?? programId)).flatMap((definition) =>
          definition[kind]
            .filter((thing) => only === undefined || thing.id === only.thing.id)
            .map((thing) => ({ program: definition, thing })),
        );
        const things = found.map(({ thing }) => thing);
        await session.answer(id === undefined ? things : things[0], () =>
          kind === 'pipelines'
            ? table(
                ['ID', 'NAME', 'PROGRAM', 'TYPE', 'BRANCH', 'ENVIRONMENTS'],
                found.map(({ program: { name }, thing }) => pipelineRow(name, thing as Pipeline)),
                session.paint,
              )
            : table(
                ['ID', 'NAME', 'PROGRAM', 'TYPE', 'AUTHOR', 'PUBLISH', 'DISPATCHERS', 'URL'],
                found.map(({ program: { name }, thing }) => environmentRow(name, thing as Environment)),
                session.paint,
              ),
        );
      }),
    );

/** Of one program, or of all. */
async function definitions(client: FairwayAccess, programId: string | undefined): Promise<Program[]> {
  const found = programId === undefined ? await client.programs() : [await client.program(programId)];
  return found.flatMap((program) => (program ? [program.definition] : []));
}

async function programs(session: Session, reference: string | undefined): Promise<void> {
  const client = await session.client();
  const id = reference === undefined ? undefined : (await client.findProgram(reference)).definition.id;
  const all = id === undefined ? await client.programs() : [await client.program(id)];
  const found = all.filter((program) => program !== undefined);
  const definitions = found.map(({ definition }) => definition);
  await session.answer({ programs: definitions }, () =>
    found.length === 0
      ? ['no programs are defined: fairway apply -f fairway.yaml']
      : table(
          ['ID', 'NAME', 'TYPE', 'REVISION', 'ENVIRONMENTS', 'PIPELINES', 'EMERGENCY MODE'],
          found.map(programRow),
          session.paint,
        ),
  );
}

const programRow = ({ definition, revision, emergency }: KnownProgram): (string | Cell)[] => [
  definition.id,
  clean(definition.name),
  definition.type,
  String(revision),
  String(definition.environments.length),
  String(definition.pipelines.length),
  emergency?.activated
    ? {
        text:
          emergency.by && emergency.at
            ? `activated by ${clean(emergency.by.subject)}, ${localTime(emergency.at)}`
            : 'activated',
        style: ['bold', 'red'],
      }
    : 'not activated',
];

const pipelineRow = (program: string, pipeline: Pipeline): string[] => [
  pipeline.id,
  clean(pipeline.name),
  clean(program),
  pipeline.type,
  clean(pipeline.repository.branch ?? `tag ${pipeline.repository.tag}`),
  environmentsOf(pipeline).join(', '),
];

const environmentsOf = (pipeline: Pipeline): string[] =>
  Object.entries(pipeline).flatMap(([field, id]) =>
    field.endsWith('Environment') && typeof id === 'string' ? [id] : [],
  );

const environmentRow = (program: string, environment: Environment): string[] => [
  environment.id,
  clean(environment.name),
  clean(program),
  environment.type,
  ...(environment.kubernetes ? countsOnCluster(environment.kubernetes) : countsOnHosts(environment)),
  environment.kubernetes?.dispatcher?.url ?? environment.loadBalancer?.url ?? '',
];

const countsOnHosts = ({ author, publish, dispatchers }: Environment): string[] =>
  [author, publish, dispatchers].map(({ length }) => String(length));

const countsOnCluster = ({ replicas }: NonNullable<Environment['kubernetes']>): string[] =>
  [1, replicas.publish, replicas.dispatcher].map(String);
