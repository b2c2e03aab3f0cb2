import { z } from 'zod';
import type { Routes } from '../route.ts';

const linkQuery = z.object({ link: z.string().max(4000) });

/** Logs and artifacts, to whoever has a signed link. */
export const fileRoutes: Routes = (app, { client, signedLinks }) => {
  app.get(
    '/files',
    { config: { operation: 'everybody' }, schema: { hide: true, querystring: linkQuery } },
    async ({ query, headers }, reply) => {
      const { key, name } = await signedLinks.read(query.link);
      const content = await client.content(key);
      const { size } = content;
      const [, from] = /^bytes=(\d{1,15})-$/.exec(headers.range ?? '') ?? [];
      const first = Number(from ?? 0);
      reply.headers({
        'accept-ranges': 'bytes',
        'content-disposition': `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}"`,
        'content-type': name.endsWith('.log') ? 'text/plain; charset=utf-8' : 'application/octet-stream',
      });
      // Who follows a log asks from where it has read to: 416 says that nothing is new.
      if (from !== undefined && first >= size)
        return reply.code(416).header('content-range', `bytes */${size}`).send();
      if (from !== undefined) reply.code(206).header('content-range', `bytes ${first}-${size - 1}/${size}`);
      return reply.header('content-length', size - first).send(await content.read(first));
    },
  );
};
