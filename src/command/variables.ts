import { Command } from 'commander';
import type { ListedVariable } from '../client/variables.ts';
import { clean, table } from './output.ts';
import { Problem } from './problem.ts';
import { action, examples, type Session } from './session.ts';
import { localTime } from './times.ts';

interface SetOptions {
  readonly secret?: string;
}

const list = () =>
  new Command('list')
    .description('List the variables of a pipeline; values of secrets are never shown')
    .argument('<pipeline>', 'id or unique name')
    .addHelpText('after', examples('fairway variables list Production'))
    .action(
      action(async (session, reference: string) => {
        const client = await session.client();
        const { program, thing } = await client.findPipeline(reference);
        const variables = await client.variables(program.id, thing.id);
        await session.answer(variables, () =>
          variables.length === 0
            ? [`pipeline ${thing.id} (${thing.name}) has no variables`]
            : table(['NAME', 'TYPE', 'VALUE', 'FROM', 'SET'], variables.map(row), session.paint),
        );
      }),
    );

const row = ({ name, type, value, from, by, at }: ListedVariable): string[] => [
  name,
  type,
  value === undefined ? '***' : clean(value),
  from ?? '',
  by && at ? `${localTime(at)} by ${clean(by.subject)}` : '',
];

const set = () =>
  new Command('set')
    .description('Set variables of a pipeline, for executions that are started from now on')
    .argument('<pipeline>', 'id or unique name')
    .argument('[name=value...]', 'as many as there are to set')
    .option('--secret <name>', 'a secret: its value is read from standard input, and kept encrypted')
    .addHelpText(
      'after',
      examples(
        'fairway variables set Production NODE_ENV=production LOG_LEVEL=info',
        'fairway variables set Production --secret NPM_TOKEN < token.txt',
      ),
    )
    .action(
      action(async (session, reference: string, pairs: readonly string[], { secret }: SetOptions) => {
        if (pairs.length === 0 && secret === undefined)
          throw new Problem('usage', 'name a variable: NAME=VALUE, or --secret NAME');
        const plain = pairs.map((pair) => {
          const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
          if (name === undefined || value === undefined)
            throw new Problem('usage', `${JSON.stringify(pair)} is not of the form NAME=VALUE`);
          return { name, value };
        });
        const value = secret === undefined ? '' : await secretValue(session, secret);
        const client = await session.client();
        const { program, thing } = await client.findPipeline(reference);
        const where = { programId: program.id, pipelineId: thing.id, by: session.by };
        for (const variable of plain) await client.setVariable({ ...where, ...variable });
        if (secret !== undefined) await client.setVariable({ ...where, name: secret, value, secret: true });
        const names = [...plain.map(({ name }) => name), ...(secret === undefined ? [] : [secret])];
        await session.answer({ programId: program.id, pipelineId: thing.id, set: names }, () => [
          `pipeline ${thing.id} (${thing.name}): set ${names.join(', ')}`,
        ]);
      }),
    );

const remove = () =>
  new Command('delete')
    .description(
      'Remove variables that were set with `variables set`; those of the definition are removed there',
    )
    .argument('<pipeline>', 'id or unique name')
    .argument('<name...>', 'of variables')
    .addHelpText('after', examples('fairway variables delete Production LOG_LEVEL'))
    .action(
      action(async (session, reference: string, names: readonly string[]) => {
        const client = await session.client();
        const { program, thing } = await client.findPipeline(reference);
        const where = { programId: program.id, pipelineId: thing.id, by: session.by };
        for (const name of names) await client.deleteVariable({ ...where, name });
        await session.answer({ programId: program.id, pipelineId: thing.id, deleted: names }, () => [
          `pipeline ${thing.id} (${thing.name}): deleted ${names.join(', ')}`,
        ]);
      }),
    );

/** From standard input, or typed without being shown. One line break at its end is not part of it. */
async function secretValue(session: Session, name: string): Promise<string> {
  if (session.canAsk) return session.askHidden(`Value of ${name}: `);
  const chunks: Buffer[] = [];
  for await (const chunk of session.io.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

export const variablesCommand = (): Command =>
  new Command('variables')
    .description('Variables that the builds of a pipeline get')
    .addCommand(list())
    .addCommand(set())
    .addCommand(remove());
