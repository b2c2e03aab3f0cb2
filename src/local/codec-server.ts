import { createCodecServer } from '../api/codec-server.ts';
import { encryptingCodec } from '../encryption/codec.ts';
import { payloadKeys } from '../encryption/keys.ts';
import { secrets } from '../systems/secrets.ts';
import type { Ports } from './ports.ts';
import { LOOPBACK } from './interface.ts';

const PORT = 8091;

/** What shows the Web UI of a local platform what is encrypted; undefined where nothing is. */
export async function startCodecServer({
  secretsFolder,
  uiPort,
  ports,
}: {
  readonly secretsFolder: string;
  readonly uiPort: number;
  readonly ports: Ports;
}): Promise<{ readonly url: string; stop(): Promise<void> } | undefined> {
  const keys = await payloadKeys(secrets({ env: process.env, folder: secretsFolder }));
  if (!keys) return undefined;
  const origins = [LOOPBACK, 'localhost'].map((host) => `http://${host}:${uiPort}`);
  const server = await createCodecServer({ codec: encryptingCodec(keys), origins });
  const url = await server.listen({ host: LOOPBACK, port: await ports('the codec server', PORT) });
  return { url, stop: () => server.close() };
}
