import { once } from 'node:events';
import { Command, InvalidArgumentError, Option } from 'commander';
import { listenAddress, type ListenAddress } from './listen-address.ts';
import { Problem } from './problem.ts';
import { action, examples, type Session } from './session.ts';
import { httpUrl, name } from './option-values.ts';
import type { Keys } from '../api/keys.ts';
import type { TokenSettings } from '../api/tokens.ts';
import { isLoopback } from '../model/loopback.ts';
import { keysFile, keysOption } from './keys-option.ts';

interface Options {
  readonly listen: ListenAddress;
  readonly baseUrl?: string;
  readonly keys?: string;
  readonly jwks?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly org?: string;
  readonly apiKey?: readonly string[];
  readonly requestsPerMinute: number;
}

/** Whoever could change the keys on their way could sign tokens. */
function keySetUrl(text: string): string {
  const { protocol, hostname } = new URL(httpUrl(text));
  if (protocol === 'https:' || isLoopback(hostname)) return text;
  throw new InvalidArgumentError('an https URL; http is for loopback addresses only.');
}

function count(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a number of requests, 1 at least.');
}

export const apiCommand = (): Command =>
  new Command('api')
    .description(
      "Serve Cloud Manager's HTTP API, until Ctrl-C; changes are logged on standard output as JSON",
    )
    .option('--listen <address>', 'host:port or port', listenAddress, listenAddress('127.0.0.1:8090'))
    .option('--base-url <url>', 'what clients use as base URL, where that is not the host they name', httpUrl)
    .addOption(keysOption())
    .addOption(
      new Option('--jwks <url>', 'take tokens of an identity provider: its key set').argParser(keySetUrl),
    )
    .option('--issuer <iss>', 'with --jwks: the issuer that tokens must name', name)
    .option('--audience <aud>', 'with --jwks: the audience that tokens must name', name)
    .option('--org <id>', 'the x-gw-ims-org-id that requests must name', name)
    .option(
      '--api-key <id>',
      'an x-api-key that requests may name; may be repeated',
      (id, ids: string[] = []) => [...ids, name(id)],
    )
    .option('--requests-per-minute <count>', 'how many one caller may send', count, 1200)
    .addHelpText(
      'after',
      examples(
        'fairway api',
        'fairway api --listen 0.0.0.0:8090 --base-url https://fairway.example.com --api-key ci',
        'fairway api --jwks https://id.example.com/jwks --issuer https://id.example.com --audience fairway',
      ),
    )
    .action(
      action(async (session, options: Options) => {
        const keys = await keysOf(session, options);
        const client = await session.client();
        const { createApi } = await import('../api/server.ts');
        const { org, apiKey, baseUrl, requestsPerMinute, listen } = options;
        const api = await createApi({
          ...{ client, requestsPerMinute, log: session.io.stdout, linkSecret: keys.linkSecret },
          tokens: await tokensOf(options, keys),
          identity: { org, apiKeys: apiKey },
          publicUrl: baseUrl,
        });
        try {
          const at = await api.listen({ ...listen }).catch((error: NodeJS.ErrnoException) => {
            throw new Problem('failed', `cannot listen at ${listen.host}:${listen.port}: ${error.message}`);
          });
          session.note(`API at ${at}; to read about it: ${at}/api/docs`);
          await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
          session.note('ending: requests that have begun are answered');
        } finally {
          await api.close();
        }
      }),
    );

/** Beyond this machine only where somebody has said whose tokens count. */
async function keysOf(session: Session, { keys, listen, jwks }: Options): Promise<Keys> {
  const { keysIn, readKeys } = await import('../api/keys.ts');
  const file = keysFile(session, keys);
  const known = await readKeys(file);
  if (!known && !jwks && !isLoopback(listen.host))
    throw new Problem(
      'refused',
      `nobody could prove who they are: ${file} is not there, so ${listen.host} is not listened at`,
      'make a token, and with it the key set: fairway token create --role ROLE',
      'or take those of an identity provider: --jwks URL --issuer ISS --audience AUD',
    );
  return known ?? keysIn(file);
}

async function tokensOf({ jwks, issuer, audience }: Options, keys: Keys): Promise<TokenSettings> {
  const { localTokens } = await import('../api/keys.ts');
  if (!jwks) {
    if (issuer !== undefined || audience !== undefined)
      throw new Problem(
        'usage',
        '--issuer and --audience say whose tokens those of --jwks are: name it as well',
      );
    return localTokens(keys);
  }
  if (issuer === undefined || audience === undefined)
    throw new Problem(
      'usage',
      '--jwks needs --issuer and --audience: a provider signs tokens for others too',
    );
  return { issuer, audience, keys: { url: jwks } };
}
