import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { Secrets } from '../systems/secrets.ts';
import { encryptingCodec } from './codec.ts';
import { payloadKeys } from './keys.ts';

/** How clients and workers write what Temporal keeps: encrypted where the secret `PAYLOAD_KEYS` is there. */
export async function dataConverter(secret: Secrets): Promise<DataConverter> {
  const keys = await payloadKeys(secret);
  return {
    payloadCodecs: [encryptingCodec(keys)],
    ...(keys && {
      failureConverterPath: fileURLToPath(new URL('../encryption/failure-converter.cjs', import.meta.url)),
    }),
  };
}
