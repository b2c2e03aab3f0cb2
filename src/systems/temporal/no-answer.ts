import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { messageOf } from '../failure.ts';
import type { TemporalConfiguration } from './configuration.ts';

const LIMIT_MS = 5_000;
/** Since TLS 1.3 a server says after the handshake, and often by closing alone, that it takes no such client. */
const CLOSED = 'the server closed the connection: does it take this client certificate?';

/**
 * Why a Temporal Service that was asked did not answer, and what to do; the SDK only says that it did not. With TLS
 * the handshake is made again to learn the reason: an expired certificate is named with its date.
 */
export async function noAnswer({ connection }: TemporalConfiguration, error: unknown): Promise<string> {
  const { address, tls } = connection;
  const words = messageOf(error);
  if (/unauthenticated|unauthorized|permission.?denied|jwt|api.?key/i.test(words))
    return `the Temporal Service at ${address} does not take these credentials (${words}): see to TEMPORAL_API_KEY or the profile`;
  // As the SDK has it: an API key is never sent in the clear unless the configuration says so.
  const secured = tls ?? connection.apiKey !== undefined;
  const trouble = secured ? await tlsTrouble(connection) : undefined;
  if (trouble)
    return `no secure connection to the Temporal Service at ${address}: ${trouble} (TEMPORAL_TLS_... or the profile say which certificates)`;
  return (
    `no Temporal Service answers at ${address}: start one (npm start runs a local one), or name another address ` +
    `(TEMPORAL_ADDRESS, or a profile)`
  );
}

async function tlsTrouble({
  address,
  tls,
}: TemporalConfiguration['connection']): Promise<string | undefined> {
  const { serverNameOverride, serverRootCACertificate, clientCertPair } =
    typeof tls === 'object' && tls ? tls : {};
  const own = clientCertPair && expiry(clientCertPair.crt);
  if (own) return `the client certificate ${own}`;
  const { hostname, port } = new URL(`tls://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port || 7233),
      servername: serverNameOverride ?? (isIP(host) ? '' : host),
      ALPNProtocols: ['h2'],
      // Nothing is sent: what is wrong with the certificate is all that is asked for.
      rejectUnauthorized: false,
      ...(serverRootCACertificate ? { ca: Buffer.from(serverRootCACertificate) } : {}),
      ...(clientCertPair
        ? { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) }
        : {}),
    });
    const end = (trouble: string | undefined) => {
      socket.destroy();
      resolve(trouble);
    };
    socket.setTimeout(LIMIT_MS, () => end(undefined));
    socket.once('data', () => end(undefined));
    socket.once('close', () => end(socket.authorized ? CLOSED : undefined));
    socket.once('secureConnect', () => {
      if (socket.authorized) return; // until the server has said what it thinks of this client
      const { valid_to: until } = socket.getPeerCertificate();
      const reason = String(socket.authorizationError);
      end(
        reason.includes('CERT_HAS_EXPIRED')
          ? `the certificate of the server has expired, on ${until}: renew it`
          : `the certificate of the server is not trusted: ${reason}`,
      );
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const absent = error.code === 'ECONNREFUSED' || error.code === 'ENOTFOUND';
      end(absent ? undefined : error.code === 'ECONNRESET' ? CLOSED : error.message);
    });
  });
}

function expiry(pem: Uint8Array): string | undefined {
  const { validTo } = new X509Certificate(pem);
  return Date.parse(validTo) < Date.now() ? `has expired, on ${validTo}: renew it` : undefined;
}
