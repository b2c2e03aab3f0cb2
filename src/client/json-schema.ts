import { z } from 'zod';
import { fileSchema } from '../model/schema/definition.ts';

/** A part of a JSON Schema, as far as it is read here. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly additionalProperties?: boolean | JsonSchema;
}

/** The JSON Schema of `fairway.yaml`, for editors. */
export const definitionJsonSchema = (): JsonSchema & Record<string, unknown> =>
  z.toJSONSchema(fileSchema, { io: 'input' }) as JsonSchema & Record<string, unknown>;

/** The names of all fields that a definition may have anywhere. */
export const fieldNames = (schema: JsonSchema = definitionJsonSchema()): string[] => [
  ...new Set([...Object.keys(schema.properties ?? {}), ...parts(schema).flatMap((part) => fieldNames(part))]),
];

const parts = ({ properties = {}, items, oneOf = [], anyOf = [] }: JsonSchema): JsonSchema[] => [
  ...Object.values(properties),
  ...(items ? [items] : []),
  ...oneOf,
  ...anyOf,
];
