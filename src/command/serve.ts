import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from './listen-address.ts';
import { Problem } from './problem.ts';
import type { Session } from './session.ts';

/** Lets a server listen until Ctrl-C or SIGTERM. @throws Problem `failed` when it cannot */
export async function serve(
  session: Session,
  server: FastifyInstance,
  { host, port }: ListenAddress,
  announce: (at: string) => string,
): Promise<void> {
  try {
    const at = await server.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
      throw new Problem('failed', `cannot listen at ${host}:${port}: ${error.message}`);
    });
    session.note(announce(at));
    await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
    session.note('ending: requests that have begun are answered');
  } finally {
    await server.close();
  }
}
