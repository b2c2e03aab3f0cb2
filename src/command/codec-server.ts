import { Command, InvalidArgumentError } from 'commander';
import type { TokenSettings } from '../api/tokens.ts';
import { isLoopback } from '../model/loopback.ts';
import { keysFile, keysOption } from './keys-option.ts';
import { listenOption, type ListenAddress } from './listen-address.ts';
import { httpUrl } from './option-values.ts';
import { Problem } from './problem.ts';
import { providerOptions, providerTokens, type ProviderOptions } from './provider-options.ts';
import { serve } from './serve.ts';
import { action, examples, type Session } from './session.ts';

interface Options extends ProviderOptions {
  readonly listen: ListenAddress;
  readonly ui: readonly string[];
  readonly keys?: string;
}

function originOf(text: string): string {
  const { origin, href } = new URL(httpUrl(text));
  if (href === `${origin}/`) return origin;
  throw new InvalidArgumentError('where the Web UI is, without a path: https://temporal.example.com');
}

export const codecServerCommand = (): Command =>
  new Command('codec-server')
    .description("Decrypt for Temporal's Web UI what the secret PAYLOAD_KEYS encrypted, until Ctrl-C")
    .requiredOption(
      '--ui <url>',
      'where the Web UI is, as its browser has it; may be repeated',
      (url, urls: string[] = []) => [...urls, originOf(url)],
    )
    .addOption(listenOption(8091))
    .addOption(keysOption('ask for tokens that this key set signs'))
    .addOption(providerOptions.jwks())
    .addOption(providerOptions.issuer())
    .addOption(providerOptions.audience())
    .addHelpText(
      'after',
      examples(
        'fairway codec-server --ui http://127.0.0.1:8233',
        'fairway codec-server --ui https://temporal.example.com --listen 0.0.0.0:8091 \\',
        '    --jwks https://id.example.com/jwks --issuer https://id.example.com --audience temporal',
      ),
    )
    .action(
      action(async (session, options: Options) => {
        const tokens = await tokensOf(session, options);
        const [{ payloadKeys }, { encryptingCodec }, { secrets }, { createCodecServer }] = await Promise.all([
          import('../encryption/keys.ts'),
          import('../encryption/codec.ts'),
          import('../systems/secrets.ts'),
          import('../api/codec-server.ts'),
        ]);
        const keys = await payloadKeys(secrets({ env: session.io.env, folder: session.secrets }));
        if (!keys)
          throw new Problem(
            'refused',
            'nothing is encrypted here: there is no secret PAYLOAD_KEYS',
            'give this process the same one as workers and clients have',
          );
        const server = await createCodecServer({
          ...{ codec: encryptingCodec(keys), origins: options.ui, tokens, log: session.io.stdout },
        });
        const who = tokens ? 'who has a token' : 'everybody on this machine';
        await serve(session, server, options.listen, (at) => `codec server at ${at}, for ${who}`);
      }),
    );

/** @returns undefined on a loopback address where none were asked for */
async function tokensOf(session: Session, options: Options): Promise<TokenSettings | undefined> {
  const provider = providerTokens(options);
  if (provider) return provider;
  const { listen, keys } = options;
  if (keys === undefined) {
    if (isLoopback(listen.host)) return undefined;
    throw new Problem(
      'refused',
      `everybody could read what is encrypted: ${listen.host} is not listened at without tokens`,
      'take those of an identity provider: --jwks URL --issuer ISS --audience AUD',
      'or those of a key set, for the temporal command: --keys FILE',
    );
  }
  const { localTokens, readKeys } = await import('../api/keys.ts');
  const file = keysFile(session, keys);
  const known = await readKeys(file);
  if (known) return localTokens(file);
  throw new Problem('usage', `there is no key set ${file}`, 'fairway token create makes one');
}
