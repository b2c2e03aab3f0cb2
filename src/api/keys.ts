import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { z } from 'zod';
import { LONGEST_LIFE_DAYS } from './token-life.ts';
import type { TokenSettings } from './tokens.ts';

/**
 * The key set of an installation without an identity provider: what signs its tokens and its links, in one file that
 * only its owner may read.
 */
export interface Keys {
  /** The first signs; all of them verify. */
  readonly signing: readonly [JWK, ...JWK[]];
  readonly linkSecret: Uint8Array;
  /** Tokens that no longer count. */
  readonly revoked: readonly Revoked[];
}

interface Revoked {
  /** The `jti` of the token. */
  readonly id: string;
  /** When it has expired anyway, ISO 8601. */
  readonly until: string;
}

const DAY_MS = 86_400_000;

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
  revoked: z.array(z.object({ id: z.string(), until: z.iso.datetime() })).default([]),
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
    const { keys, ...others } = content.parse(JSON.parse(await readFile(file, 'utf8')));
    return { signing: keys as unknown as Keys['signing'], ...others };
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
  const made = { signing: [await newKey()] as const, linkSecret: randomBytes(32), revoked: [] };
  await written(file, `${file}.${randomBytes(6).toString('hex')}`, made, (draft) =>
    link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    }),
  );
  return (await readKeys(file))!;
}

/** Tokens with these `jti` no longer count. @throws Error where there is no key set, or somebody else changes it now */
export const revoke = (file: string, ids: readonly string[]): Promise<void> =>
  change(file, (keys) => {
    const now = new Date();
    const until = new Date(now.getTime() + LONGEST_LIFE_DAYS * DAY_MS).toISOString();
    const others = keys.revoked.filter((one) => one.until > now.toISOString() && !ids.includes(one.id));
    return { ...keys, revoked: [...others, ...ids.map((id) => ({ id, until }))] };
  });

/** A new key signs, and the old ones no longer count, nor any token that they signed. @throws Error as `revoke` */
export async function revokeAll(file: string): Promise<void> {
  const key = await newKey();
  await change(file, (keys) => ({ ...keys, signing: [key], revoked: [] }));
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(LOCAL_ALGORITHM, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: LOCAL_ALGORITHM, use: 'sig' };
}

/** The draft has one name, so that of two who change it at once none is forgotten. */
async function change(file: string, changed: (keys: Keys) => Keys): Promise<void> {
  const draft = `${file}.new`;
  const keys = await readKeys(file);
  if (!keys) throw new Error(`there is no key set ${file}: no token was made with it`);
  await written(file, draft, changed(keys), () => rename(draft, file));
}

async function written(
  file: string,
  draft: string,
  { signing, linkSecret, revoked }: Keys,
  putInPlace: (draft: string) => Promise<void>,
): Promise<void> {
  const handle = await open(draft, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const folder = dirname(file);
    const why =
      cause.code === 'ENOENT'
        ? `there is no folder ${folder}`
        : cause.code === 'EEXIST'
          ? `somebody else changes it now; remove ${draft} if nobody does`
          : `${folder}: ${cause.message}`;
    throw new Error(`the key set ${file} cannot be written: ${why}`, { cause });
  });
  try {
    const content = { keys: signing, linkSecret: Buffer.from(linkSecret).toString('base64'), revoked };
    await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await handle.sync();
    await putInPlace(draft);
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
}

/**
 * Takes the tokens that the key set in this file signs, as it is at that moment: what is revoked, or signed by a key that
 * was taken out, is refused from then on. Only the public parts of keys are given on.
 */
export function localTokens(file: string): TokenSettings {
  let known: { readonly version: string; readonly keys: Promise<LocalKeys> } | undefined;
  const now = async (): Promise<LocalKeys> => {
    const { mtimeMs, size, ino } = await stat(file);
    const version = [mtimeMs, size, ino].join();
    if (known?.version !== version) known = { version, keys: readLocal(file) };
    return known.keys;
  };
  return {
    ...{ issuer: LOCAL_ISSUER, audience: LOCAL_AUDIENCE },
    keys: { set: async () => (await now()).set },
    isRevoked: async (id) => (await now()).revoked.has(id),
  };
}

interface LocalKeys {
  readonly set: readonly JWK[];
  readonly revoked: ReadonlySet<string>;
}

async function readLocal(file: string): Promise<LocalKeys> {
  const keys = await readKeys(file);
  if (!keys) throw new Error(`there is no key set ${file}`);
  return {
    set: keys.signing.map(({ kty, crv, x, y, kid, alg, use }) => ({ kty, crv, x, y, kid, alg, use })),
    revoked: new Set(keys.revoked.map(({ id }) => id)),
  };
}
