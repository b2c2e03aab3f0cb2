import { Command } from 'commander';
import { action, examples } from './session.ts';

export const schemaCommand = (): Command =>
  new Command('schema')
    .description('Print the JSON Schema of fairway.yaml, for editors')
    .addHelpText(
      'after',
      examples(
        'fairway schema > fairway.schema.json',
        '# first line of fairway.yaml: yaml-language-server: $schema=fairway.schema.json',
      ),
    )
    .action(
      action(async (session) => {
        const { definitionJsonSchema } = await import('../client/json-schema.ts');
        const schema = definitionJsonSchema();
        await session.answer(schema, () => [JSON.stringify(schema, null, 2)]);
      }),
    );
