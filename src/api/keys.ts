import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { z } from 'zod';
import type { TokenSettings } from './tokens.ts';

/**
 * The key set of an installation without an identity provider: what signs its tokens and its links, in one file that
 * only its owner may read.
 */
export interface Keys {
  /** The first signs; all of them verify. */
  readonly signing: readonly [JWK, ...JWK[]];
  readonly linkSecret: Uint8Array;
}

/** `iss` and `aud` of the tokens that the key set signs. */
export const LOCAL_ISSUER = 'fairway';
export const LOCAL_AUDIENCE = 'fairway-api';
export const LOCAL_ALGORITHM = 'ES256';

const publicKey = z.looseObject({
  ...{ kty: z.literal('EC'), crv: z.literal('P-256'), kid: z.string() },
  ...{ x: z.string(), y: z.string() },
});
const content = z.object({
  keys: z.tuple([publicKey.extend({ d: z.string() })], publicKey),
  linkSecret: z
    .string()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine(({ length }) => length >= 32),
});

/** The key set in this file; undefined when there is no such file. @throws Error when others may read it, or it is no key set */
export async function readKeys(file: string): Promise<Keys | undefined> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return undefined;
  if (!found.isFile()) throw new Error(`${file} is no file: name one, for a key set that may be made there`);
  if (found.mode & 0o077)
    throw new Error(`${file} can be read by others: whoever reads it signs tokens; chmod 600 ${file}`);
  try {
    const { keys, linkSecret } = content.parse(JSON.parse(await readFile(file, 'utf8')));
    return { signing: keys as unknown as Keys['signing'], linkSecret };
  } catch (cause) {
    throw new Error(`${file} is not a key set of Fairway; "fairway token create" makes one where none is`, {
      cause,
    });
  }
}

/** The same, made at the first time. Of two that make it at once one wins, and both get that one. */
export async function keysIn(file: string): Promise<Keys> {
  const known = await readKeys(file);
  if (known) return known;
  const { privateKey } = await generateKeyPair(LOCAL_ALGORITHM, { extractable: true });
  const jwk = await exportJWK(privateKey);
  const key = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: LOCAL_ALGORITHM, use: 'sig' };
  const text = JSON.stringify({ keys: [key], linkSecret: randomBytes(32).toString('base64') }, null, 2);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const folder = dirname(file);
    const why = cause.code === 'ENOENT' ? `there is no folder ${folder}` : `${folder}: ${cause.message}`;
    throw new Error(`the key set ${file} cannot be made: ${why}`, { cause });
  });
  try {
    await handle.writeFile(`${text}\n`);
    await handle.sync();
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
  return (await readKeys(file))!;
}

/** Takes the tokens that this key set signs; it is given the public parts only. */
export const localTokens = ({ signing }: Keys): TokenSettings => ({
  ...{ issuer: LOCAL_ISSUER, audience: LOCAL_AUDIENCE },
  keys: { set: signing.map(({ kty, crv, x, y, kid, alg, use }) => ({ kty, crv, x, y, kid, alg, use })) },
});
