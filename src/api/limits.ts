import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

/** Counts a request of a caller. @throws Problem 429, with `Retry-After`, when there were too many in this minute */
export type Limit = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Each instance counts for itself: by subject, and by address where nobody has proved who they are. */
export async function limiter(app: FastifyInstance, requestsPerMinute: number): Promise<Limit> {
  await app.register(rateLimit, { global: false });
  const count = app.createRateLimit({
    max: requestsPerMinute,
    timeWindow: '1 minute',
    keyGenerator: ({ caller, ip }) => (caller ? `subject ${caller.actor.subject}` : `address ${ip}`),
  });
  return async (request, reply) => {
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return;
    reply.header('retry-after', counted.ttlInSeconds);
    throw new Problem(429, `more than ${requestsPerMinute} requests in a minute`);
  };
}
