import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { Problem } from './problem.ts';

/** A file of storage that whoever has its link may read. */
const linked = z.object({
  /** Key in storage. */
  key: z.string(),
  /** The name to save it under. */
  name: z.string(),
});
export type LinkedFile = z.infer<typeof linked>;

/** Long enough to follow the log of a step with one link, which clients ask for once. */
const LIFETIME = '12h';
const AUDIENCE = 'fairway-file';

/**
 * Links to files: clients fetch logs and artifacts without their token. Instances of the API behind one address need
 * the same secret.
 */
export class SignedLinks {
  private readonly secret: Uint8Array;

  constructor(secret: Uint8Array) {
    if (secret.length < 32) throw new Error('the secret that signs links needs 32 bytes at least');
    this.secret = secret;
  }

  /** Path and query of a link to this file. */
  async make(file: LinkedFile): Promise<string> {
    const token = await new SignJWT({ ...file })
      .setProtectedHeader({ alg: 'HS256' })
      .setAudience(AUDIENCE)
      .setExpirationTime(LIFETIME)
      .sign(this.secret);
    return `/files?link=${token}`;
  }

  /** @throws Problem 404, which tells clients that follow a log to wait between attempts */
  async read(link: string): Promise<LinkedFile> {
    try {
      const options = { audience: AUDIENCE, algorithms: ['HS256'] };
      return linked.parse((await jwtVerify(link, this.secret, options)).payload);
    } catch {
      throw new Problem(404, 'this link is not valid, or has expired');
    }
  }
}
