import { z } from 'zod';
import { webhookSchema } from '../../model/schema/webhook.ts';
import { links, paths } from '../hal.ts';
import { Problem } from '../problem.ts';
import { expectedRevision, inProgram, programAt, revised, withThing, type Routes } from '../route.ts';
import { deliveryList, nothing, replayed, webhook, webhookList } from '../schemas.ts';

const inWebhook = inProgram.extend({ webhookId: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/) });
const missed = z
  .object({
    webhookId: z.string().max(100).optional(),
    since: z.iso.datetime({ offset: true }).optional(),
  })
  .default({});
const challenged = z.object({ challenge: z.string().min(1).max(100) });

/** Webhooks of a program, in the schema of fairway.yaml: Adobe registers them outside Cloud Manager's API, so that this is ours. */
export const webhookRoutes: Routes = (app, { client }) => {
  const read = { operation: 'readDefinition' } as const;
  const edit = { operation: 'editWebhook' } as const;
  const all = '/api/program/:programId/webhooks';
  const one = '/api/program/:programId/webhook/:webhookId';

  /** @throws Problem 404 */
  const webhookAt = async (address: z.infer<typeof inWebhook>) => {
    const program = await programAt(client, address);
    const found = program.definition.webhooks?.find(({ id }) => id === address.webhookId);
    if (found) return { program, found };
    throw new Problem(404, `program ${address.programId} has no such webhook`);
  };

  app.get(
    all,
    { config: read, schema: { params: inProgram, response: { 200: webhookList } } },
    async ({ params }) => {
      const { webhooks = [] } = (await programAt(client, params)).definition;
      const program = paths.program(params.programId);
      return {
        _totalNumberOfItems: webhooks.length,
        _embedded: { webhooks },
        _links: links(`${program}/webhooks`, { program }),
      };
    },
  );

  app.get(
    `${all}/deliveries`,
    { config: read, schema: { params: inProgram, response: { 200: deliveryList } } },
    async ({ params: { programId } }) => {
      const webhooks = await client.webhooks(programId);
      return {
        _totalNumberOfItems: webhooks.length,
        _embedded: { webhooks },
        _links: links(`${paths.webhooks(programId)}/deliveries`, { program: paths.program(programId) }),
      };
    },
  );

  app.post(
    `${all}/replay`,
    { config: edit, schema: { params: inProgram, body: missed, response: { 200: replayed } } },
    async ({ params, body }) => {
      await programAt(client, params);
      return { replayed: await client.replayEvents(params.programId, body) };
    },
  );

  app.get(
    one,
    { config: read, schema: { params: inWebhook, response: { 200: webhook } } },
    async ({ params }) => (await webhookAt(params)).found,
  );

  app.post(
    all,
    { config: edit, schema: { params: inProgram, body: webhookSchema, response: { 201: webhook } } },
    async ({ params, body, caller }, reply) => {
      const program = await programAt(client, params);
      await client.apply(withThing(program, 'webhooks', body), program.revision, caller.actor);
      return reply.code(201).header('location', paths.webhook(params.programId, body.id)).send(body);
    },
  );

  app.put(
    one,
    {
      config: edit,
      schema: { params: inWebhook, headers: revised, body: webhookSchema, response: { 200: webhook } },
    },
    async ({ params, headers, body, caller }) => {
      const program = await programAt(client, params);
      const wanted = withThing(program, 'webhooks', body, params.webhookId);
      await client.apply(wanted, expectedRevision(headers, program), caller.actor);
      return body;
    },
  );

  app.delete(
    one,
    { config: edit, schema: { params: inWebhook, response: { 204: nothing } } },
    async ({ params, caller }, reply) => {
      const { program, found } = await webhookAt(params);
      const { definition, revision } = program;
      const webhooks = definition.webhooks?.filter((known) => known !== found);
      await client.apply({ ...definition, webhooks }, revision, caller.actor);
      return reply.code(204).send();
    },
  );

  // The receiver of a challenge, or a person who reads what it was sent, opens this: the challenge is all that is needed.
  app.get(
    `${one}/validation`,
    {
      config: { operation: 'everybody' },
      schema: {
        params: inWebhook,
        querystring: challenged,
        response: { 200: z.object({ message: z.string() }) },
      },
    },
    async ({ params: { programId, webhookId }, query: { challenge } }) => {
      if (await client.agreeToEvents(programId, webhookId, challenge))
        return { message: `Events are sent to webhook ${webhookId} from now on.` };
      throw new Problem(404, 'this address is not valid, or older than five minutes: wait for the next one');
    },
  );
};
