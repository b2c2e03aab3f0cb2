import { definitionJsonSchema, type JsonSchema } from './json-schema.ts';

/** The page `docs/reference-fairway-yaml.md`: every field of a definition, from its schema. */
export function referencePage(): string {
  const schema = definitionJsonSchema();
  return [
    '# Reference: fairway.yaml',
    'Made by `npm run reference` from the schema in `src/model/schema`. An example with comments is [examples/fairway.yaml](../examples/fairway.yaml); what is bold must be there.',
    ...section('', schema),
    '',
  ].join('\n\n');
}

function section(path: string, schema: JsonSchema): string[] {
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length === 0) return [];
  const required = schema.required ?? [];
  const title = path === '' ? 'The file' : `\`${path}\``;
  const rows = entries.map(([name, field]) => {
    const shown = required.includes(name) ? `**\`${name}\`**` : `\`${name}\``;
    return `| ${shown} | ${cell(kind(field))} | ${cell(byDefault(field))} | ${cell(field.description ?? '')} |`;
  });
  return [
    `## ${title}`,
    ...(schema.description ? [schema.description] : []),
    ['| field | kind | default | meaning |', '|---|---|---|---|', ...rows].join('\n'),
    ...entries.flatMap(([name, field]) => below(path ? `${path}.${name}` : name, field)),
  ];
}

function below(path: string, field: JsonSchema): string[] {
  const inner = field.items ?? field;
  const here = field.items ? `${path}[]` : path;
  const kinds = inner.oneOf ?? inner.anyOf;
  if (!kinds) return section(here, inner);
  return kinds.flatMap((one) => section(`${here} (type: ${String(one.properties?.['type']?.const)})`, one));
}

function kind(field: JsonSchema): string {
  if (field.const !== undefined) return `\`${JSON.stringify(field.const).replaceAll('"', '')}\``;
  if (field.enum) return field.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (field.items)
    return `list of ${field.items.properties || field.items.oneOf ? 'objects' : `${field.items.type ?? 'value'}s`}`;
  if (field.oneOf) return 'object';
  if (field.type === 'object') return field.properties ? 'object' : 'names and values';
  return field.type ?? '';
}

/** Of an object the defaults of its fields are in its own table. */
const byDefault = ({ default: value, type }: JsonSchema): string =>
  value === undefined || type === 'object' ? '' : `\`${JSON.stringify(value)}\``;

const cell = (text: string): string => text.replaceAll('|', '\\|');
