import { InvalidArgumentError, Option } from 'commander';
import type { TokenSettings } from '../api/tokens.ts';
import { isLoopback } from '../model/loopback.ts';
import { httpUrl, name } from './option-values.ts';
import { Problem } from './problem.ts';

/** Which identity provider's tokens count. */
export interface ProviderOptions {
  readonly jwks?: string;
  readonly issuer?: string;
  readonly audience?: string;
}

/** Whoever could change the keys on their way could sign tokens. */
function keySetUrl(text: string): string {
  const { protocol, hostname } = new URL(httpUrl(text));
  if (protocol === 'https:' || isLoopback(hostname)) return text;
  throw new InvalidArgumentError('an https URL; http is for loopback addresses only.');
}

export const providerOptions = {
  jwks: () =>
    new Option('--jwks <url>', 'take tokens of an identity provider: its key set').argParser(keySetUrl),
  issuer: () => new Option('--issuer <iss>', 'with --jwks: the issuer that tokens must name').argParser(name),
  audience: () =>
    new Option('--audience <aud>', 'with --jwks: the audience that tokens must name').argParser(name),
};

/** @returns undefined where no provider is named. @throws Problem `usage` where it is half named */
export function providerTokens({ jwks, issuer, audience }: ProviderOptions): TokenSettings | undefined {
  if (!jwks) {
    if (issuer !== undefined || audience !== undefined)
      throw new Problem(
        'usage',
        '--issuer and --audience say whose tokens those of --jwks are: name it as well',
      );
    return undefined;
  }
  if (issuer === undefined || audience === undefined)
    throw new Problem(
      'usage',
      '--jwks needs --issuer and --audience: a provider signs tokens for others too',
    );
  return { issuer, audience, keys: { url: jwks } };
}
