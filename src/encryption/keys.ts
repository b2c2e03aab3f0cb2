import { Failure } from '../systems/failure.ts';
import type { Secrets } from '../systems/secrets.ts';

/** The secret that holds the keys. */
export const PAYLOAD_KEYS = 'PAYLOAD_KEYS';

const HOW_TO =
  `${PAYLOAD_KEYS} has one key a line, NAME:KEY, where KEY is what "openssl rand -base64 32" writes; ` +
  'the first one encrypts, all of them decrypt';

/** Keys by name; the first one encrypts. */
export type PayloadKeys = ReadonlyMap<string, Buffer>;

/** @returns undefined where the secret is not there: then nothing is encrypted. @throws Failure `InvalidInput` */
export async function payloadKeys(secret: Secrets): Promise<PayloadKeys | undefined> {
  const text = await secret(PAYLOAD_KEYS).catch((error: unknown) => {
    if (error instanceof Failure && error.type === 'Missing') return undefined;
    throw error;
  });
  return text === undefined ? undefined : parseKeys(text);
}

export function parseKeys(text: string): PayloadKeys {
  const keys = new Map<string, Buffer>();
  for (const line of text.split(/\s+/).filter(Boolean)) {
    const [, name, base64 = ''] = /^([A-Za-z0-9._-]{1,60}):([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
    const key = Buffer.from(base64, 'base64');
    if (name === undefined || key.length !== 32)
      throw new Failure('InvalidInput', `line ${keys.size + 1} of the secret is not a key: ${HOW_TO}`);
    if (keys.has(name)) throw new Failure('InvalidInput', `the key ${name} is there twice: ${HOW_TO}`);
    keys.set(name, key);
  }
  if (keys.size === 0) throw new Failure('InvalidInput', `there is no key in the secret: ${HOW_TO}`);
  return keys;
}
