import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { SecretReference } from '../model/variables.ts';
import { Failure } from './failure.ts';
import type { Secrets } from './secrets.ts';

/** The secret that holds the key of all secret variables: 32 bytes, in base64 or as 64 hexadecimal digits. */
export const VARIABLES_KEY = 'VARIABLES_KEY';

export interface SecretPlace extends SecretReference {
  readonly programId: string;
  readonly pipelineId: string;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HOW_TO =
  'make one with "openssl rand -base64 32" and give the same to every worker that builds or tests and to whoever sets secret variables';

const kept = z.object({
  cipher: z.literal(CIPHER),
  key: z.string(),
  nonce: z.base64(),
  text: z.base64(),
  tag: z.base64(),
});

/** A version that no other value of the variable has; later ones sort behind earlier ones. */
export const newVersion = (): string =>
  `${new Date().toISOString().replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`;

/**
 * The content of the file that keeps a value. It can be read in its own place only: program, pipeline, name and version
 * are authenticated with it.
 * @throws Failure `Missing` or `InvalidInput` for the key, saying what to do
 */
export async function encryptVariable(secret: Secrets, place: SecretPlace, value: string): Promise<string> {
  const key = await variablesKey(secret);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeBytes(place));
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  const [n, t, tag] = [nonce, text, cipher.getAuthTag()].map((bytes) => bytes.toString('base64'));
  return `${JSON.stringify({ cipher: CIPHER, key: nameOfKey(key), nonce: n, text: t, tag })}\n`;
}

/**
 * The value that `encryptVariable` made `content` of.
 * @throws Failure `Denied` for another key, `InvalidArtifact` for content that was changed or moved
 */
export async function decryptVariable(secret: Secrets, place: SecretPlace, content: string): Promise<string> {
  const key = await variablesKey(secret);
  const what = `secret variable ${place.name} of pipeline ${place.pipelineId}`;
  const file = kept.safeParse(jsonOf(content)).data;
  if (file && file.key !== nameOfKey(key))
    throw new Failure(
      'Denied',
      `the ${what} was encrypted with another key: ${VARIABLES_KEY} of this worker is not the one it was set with. ` +
        `Give the worker that key, or set the variable again with this one`,
    );
  try {
    if (!file) throw new Error('it is no encrypted value');
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(file.nonce, 'base64'), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(placeBytes(place));
    decipher.setAuthTag(Buffer.from(file.tag, 'base64'));
    return Buffer.concat([decipher.update(file.text, 'base64'), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new Failure(
      'InvalidArtifact',
      `the ${what} was changed in storage and cannot be trusted; set it again`,
      { cause },
    );
  }
}

async function variablesKey(secret: Secrets): Promise<Buffer> {
  const text = await secret(VARIABLES_KEY).catch((error: unknown) => {
    throw error instanceof Failure
      ? new Failure(
          error.type,
          `secret variables need a key. ${error.message}. The key is 32 bytes: ${HOW_TO}. Values set with a key that is lost must be set again`,
          { cause: error.cause },
        )
      : error;
  });
  const key = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (key.length === 32) return key;
  throw new Failure('InvalidInput', `the secret ${VARIABLES_KEY} is not a key of 32 bytes: ${HOW_TO}`);
}

/** Tells keys apart without saying anything about them. */
const nameOfKey = (key: Buffer): string =>
  createHmac('sha256', key).update('name of the key').digest('hex').slice(0, 16);

const placeBytes = ({ programId, pipelineId, name, version }: SecretPlace): Buffer =>
  Buffer.from([programId, pipelineId, name, version].join('/'));

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
