import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { DefinedProgram } from '../client/catalogue.ts';
import type { FairwayClient } from '../client/fairway-client.ts';
import type { Pipeline, Program } from '../model/schema/definition.ts';
import { Problem } from './problem.ts';
import { isAllowed, type Operation } from './roles.ts';
import type { SignedLinks } from './signed-links.ts';
import type { Caller } from './tokens.ts';

/** What routes work with. */
export interface Context {
  readonly client: FairwayClient;
  readonly signedLinks: SignedLinks;
  /** An absolute address of this API. */
  readonly absolute: (request: FastifyRequest, path: string) => string;
}

type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
export type Routes = (app: App, context: Context) => void;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends it; of a route for everybody there is none. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** What the caller must be allowed to do; a route without it answers nobody but with a 403. */
    operation?: Operation | 'everybody';
  }
}

/** @throws Problem 403 naming what the caller may not do */
export function permit({ caller }: FastifyRequest, operation: Operation | undefined): void {
  if (operation && isAllowed(operation, caller.roles)) return;
  const has = caller.roles.join(', ') || 'none';
  throw new Problem(
    403,
    `${caller.actor.subject} may not do this (${operation ?? 'nobody may'}); roles: ${has}`,
  );
}

/** Ids in paths. */
const id = z.string().regex(/^[1-9][0-9]{0,17}$/);
export const inProgram = z.object({ programId: id });
export const inPipeline = inProgram.extend({ pipelineId: id });
export const inExecution = inPipeline.extend({
  executionId: z
    .string()
    .regex(/^[0-9]{1,10}$/)
    .transform((digits) => digits.padStart(10, '0')),
});

/** @throws Problem 404 */
export async function programAt(
  client: FairwayClient,
  { programId }: z.infer<typeof inProgram>,
): Promise<DefinedProgram> {
  const program = await client.program(programId);
  if (program) return program;
  throw new Problem(404, `there is no program ${programId}`);
}

/** @throws Problem 404 */
export async function pipelineAt(
  client: FairwayClient,
  { programId, pipelineId }: z.infer<typeof inPipeline>,
): Promise<{ readonly program: DefinedProgram; readonly pipeline: Pipeline }> {
  const program = await programAt(client, { programId });
  const pipeline = program.definition.pipelines.find((known) => known.id === pipelineId);
  if (pipeline) return { program, pipeline };
  throw new Problem(404, `program ${programId} has no pipeline ${pipelineId}`);
}

/** A change names the revision that it was made from, if it wants to be refused when somebody else was faster. */
export const revised = z.object({
  'if-match': z
    .string()
    .regex(/^"?\d{1,15}"?$/, 'must be the revision of the program')
    .optional(),
});

export const expectedRevision = (
  { 'if-match': match }: z.infer<typeof revised>,
  { revision }: DefinedProgram,
): number => (match === undefined ? revision : Number(match.replaceAll('"', '')));

type Lists = Pick<Required<Program>, 'environments' | 'pipelines' | 'webhooks'>;

/**
 * A program's definition with this thing added, or put in place of the one with this id.
 * @throws Problem 409 when a new one is there already, 404 when the old one is not, 400 when the body names another id
 */
export function withThing<L extends keyof Lists>(
  { definition }: DefinedProgram,
  list: L,
  thing: Lists[L][number],
  replaced?: string,
): Program {
  const things: readonly { readonly id: string }[] = definition[list] ?? [];
  const what = `${list.slice(0, -1)} ${replaced ?? thing.id}`;
  const isThere = things.some(({ id }) => id === (replaced ?? thing.id));
  if (replaced === undefined && isThere) throw new Problem(409, `${what} is there already`);
  if (replaced !== undefined && !isThere) throw new Problem(404, `program ${definition.id} has no ${what}`);
  if (replaced !== undefined && thing.id !== replaced)
    throw new Problem(400, { field: 'id', message: `must be ${replaced}` });
  const changed =
    replaced === undefined
      ? [...things, thing]
      : things.map((known) => (known.id === replaced ? thing : known));
  return { ...definition, [list]: changed };
}
