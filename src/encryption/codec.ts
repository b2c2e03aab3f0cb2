import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ValueError, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { PAYLOAD_KEYS, type PayloadKeys } from './keys.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** As the samples of Temporal call it, so that its tools show such a payload for what it is. */
const ENCODING = 'binary/encrypted';
const { Payload: Message } = proto.temporal.api.common.v1;

const textOf = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('utf8');

/**
 * Encrypts what Temporal keeps of every input, result, message, memo and summary; the name of the key goes with it. What is
 * not encrypted is read as it is, so that it can be switched on while executions run. Without keys it only says what
 * is missing when it meets what is encrypted.
 */
export const encryptingCodec = (keys: PayloadKeys | undefined): PayloadCodec => ({
  async encode(payloads) {
    const [current] = keys ?? [];
    return current ? payloads.map((payload) => encrypted(payload, ...current)) : payloads;
  },
  async decode(payloads) {
    return payloads.map((payload) =>
      textOf(payload.metadata?.['encoding']) === ENCODING ? decrypted(payload, keys) : payload,
    );
  },
});

function encrypted(payload: Payload, name: string, key: Buffer): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(name));
  const text = Buffer.concat([cipher.update(Message.encode(payload).finish()), cipher.final()]);
  return {
    metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(name) },
    data: Buffer.concat([nonce, cipher.getAuthTag(), text]),
  };
}

function decrypted(payload: Payload, keys: PayloadKeys | undefined): Payload {
  const name = textOf(payload.metadata?.['encryption-key-id']).slice(0, 60);
  const key = keys?.get(name);
  if (!key)
    throw new ValueError(
      `this is encrypted with the key ${JSON.stringify(name)}, which this process does not have: give it the secret ${PAYLOAD_KEYS} with that key in it`,
    );
  const data = Buffer.from(payload.data ?? []);
  try {
    const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(data.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const text = Buffer.concat([decipher.update(data.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return Message.decode(text);
  } catch (cause) {
    throw new ValueError(
      `the key ${JSON.stringify(name)} of the secret ${PAYLOAD_KEYS} is not the one that this was encrypted with, or it was changed since`,
      cause,
    );
  }
}
