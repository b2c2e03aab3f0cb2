import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifyInstance } from 'fastify';

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

/** Holds every answer of the API against its own OpenAPI document. Call the result for what did not fit. */
export function documentedAnswers(api: FastifyInstance): () => readonly string[] {
  const misfits: string[] = [];
  const ajv = new Ajv2020({ strict: false, validateSchema: false });
  let paths: Record<string, Record<string, Operation>> | undefined;
  const documented = () => {
    if (paths) return paths;
    const document = api.swagger() as unknown as { paths: NonNullable<typeof paths> };
    ajv.addSchema({ ...document, $id: 'api' });
    return (paths = document.paths);
  };
  api.addHook('onSend', async ({ method, routeOptions }, reply, payload) => {
    const path = routeOptions.url?.replaceAll(/:(\w+)/g, '{$1}') ?? '';
    const operation = documented()[path]?.[method.toLowerCase()];
    if (!operation) return payload;
    const status = String(reply.statusCode);
    const key = [status, `${status[0]}XX`].find((known) => operation.responses[known]);
    const where = `${method} ${path} ${status}`;
    const type = String(reply.getHeader('content-type') ?? '').replace(/;.*/, '');
    if (key === undefined) misfits.push(`${where} is not documented`);
    else if (typeof payload === 'string' && payload !== '') {
      const pointer = ['paths', path, method.toLowerCase(), 'responses', key, 'content', type, 'schema'];
      const ref = pointer.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
      if (!operation.responses[key]?.content?.[type]) misfits.push(`${where}: ${type} is not documented`);
      else if (!ajv.validate({ $ref: `api#/${encodeURI(ref)}` }, JSON.parse(payload)))
        misfits.push(`${where}: ${ajv.errorsText()}`);
    }
    return payload;
  });
  return () => misfits;
}
