import { Command, InvalidArgumentError } from 'commander';
import { listenOption, type ListenAddress } from './listen-address.ts';
import { Problem } from './problem.ts';
import { action, examples } from './session.ts';
import { httpUrl, name } from './option-values.ts';
import type { Keys } from '../api/keys.ts';
import { isLoopback } from '../model/loopback.ts';
import { keysFile, keysOption } from './keys-option.ts';
import { providerOptions, providerTokens, type ProviderOptions } from './provider-options.ts';
import { serve } from './serve.ts';

interface Options extends ProviderOptions {
  readonly listen: ListenAddress;
  readonly baseUrl?: string;
  readonly keys?: string;
  readonly org?: string;
  readonly apiKey?: readonly string[];
  readonly requestsPerMinute: number;
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
    .addOption(listenOption(8090))
    .option('--base-url <url>', 'what clients use as base URL, where that is not the host they name', httpUrl)
    .addOption(keysOption())
    .addOption(providerOptions.jwks())
    .addOption(providerOptions.issuer())
    .addOption(providerOptions.audience())
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
        const file = keysFile(session, options.keys);
        const keys = await keysOf(file, options);
        const client = await session.direct();
        const [{ createApi }, { localTokens }] = await Promise.all([
          import('../api/server.ts'),
          import('../api/keys.ts'),
        ]);
        const { org, apiKey, baseUrl, requestsPerMinute, listen } = options;
        const api = await createApi({
          ...{ client, requestsPerMinute, log: session.io.stdout, linkSecret: keys.linkSecret },
          tokens: providerTokens(options) ?? localTokens(file),
          identity: { org, apiKeys: apiKey },
          publicUrl: baseUrl,
        });
        await serve(session, api, listen, (at) => `API at ${at}; to read about it: ${at}/api/docs`);
      }),
    );

/** Beyond this machine only where somebody has said whose tokens count. */
async function keysOf(file: string, { listen, jwks }: Options): Promise<Keys> {
  const { keysIn, readKeys } = await import('../api/keys.ts');
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
