import type { IncomingHttpHeaders } from 'node:http';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWK,
  type JWTVerifyGetKey,
} from 'jose';
import { z } from 'zod';
import type { Actor } from '../model/actor.ts';
import { Problem } from './problem.ts';
import { isRole, type Role } from './roles.ts';

/** Whose tokens are accepted. */
export interface TokenSettings {
  /** The `iss` and `aud` that a token must have. */
  readonly issuer: string;
  readonly audience: string;
  /** The keys that sign tokens: a JWKS at a URL, or public keys, which may change. */
  readonly keys:
    { readonly url: string } | { readonly set: readonly JWK[] | (() => Promise<readonly JWK[]>) };
  /** Whether the token of this `jti` was taken back. */
  readonly isRevoked?: (id: string) => Promise<boolean>;
}

/** What requests must name besides a token; what is absent is not looked at. */
export interface IdentitySettings {
  /** The `x-gw-ims-org-id`. */
  readonly org?: string;
  /** One of them must be the `x-api-key`, and the `client_id` of a token that has one. */
  readonly apiKeys?: readonly string[];
}

/** Who sends a request, as a token proves it. */
export interface Caller {
  readonly actor: Actor;
  readonly roles: readonly Role[];
}

/** Public keys only: a shared secret, or none at all, signs nothing here. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const LEEWAY_SECONDS = 30;

const claims = z.object({
  sub: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}]*$/u),
  roles: z.array(z.string()).default([]),
  client_id: z.string().optional(),
});

/** Signed by somebody else. */
const foreign = [
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];
/** What else is wrong with the token itself; anything more is our side's, or the key server's. */
const bad = [errors.JWTInvalid, errors.JWSInvalid, errors.JOSENotSupported];

/** Reads who sends a request from its headers. @throws Problem 401, 403, 503 */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<Caller>;

/**
 * Verifies bearer tokens: signature, algorithm, issuer, audience, expiry; then organisation and API key, where they are
 * set.
 */
export function authenticator(
  { issuer, audience, keys, isRevoked }: TokenSettings,
  { org, apiKeys }: IdentitySettings,
): Authenticate {
  const key = keySet(keys);
  return async (headers) => {
    const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(headers.authorization ?? '') ?? [];
    if (token === undefined) throw new Problem(401, 'send a bearer token: Authorization: Bearer <token>');
    try {
      const { payload } = await jwtVerify(token, key, {
        ...{ issuer, audience, algorithms: ALGORITHMS, clockTolerance: LEEWAY_SECONDS },
        requiredClaims: ['sub', 'exp'],
      });
      const { sub, roles, client_id: clientId } = claims.parse(payload);
      if (payload.jti !== undefined && (await isRevoked?.(payload.jti)))
        throw new Problem(401, 'the token was revoked: get a new one');
      const apiKey = String(headers['x-api-key'] ?? '');
      if (apiKeys && !(apiKeys.includes(apiKey) && apiKey === (clientId ?? apiKey)))
        throw new Problem(403, "x-api-key must name a client of this API, and the token's own client_id");
      if (org !== undefined && headers['x-gw-ims-org-id'] !== org)
        throw new Problem(403, 'x-gw-ims-org-id must name the organisation of this API');
      return { actor: { subject: sub, via: 'api', verified: true }, roles: roles.filter(isRole) };
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (error instanceof errors.JWTExpired) throw new Problem(401, 'the token has expired: get a new one');
      if (error instanceof errors.JWTClaimValidationFailed)
        throw new Problem(
          401,
          `the token was not made for this API: its claim "${error.claim}" is not as it must be`,
        );
      if (foreign.some((kind) => error instanceof kind))
        throw new Problem(
          401,
          'the token is signed by none of the keys that this API takes, or takes still: get one of its own issuer',
        );
      if (error instanceof z.ZodError || bad.some((kind) => error instanceof kind))
        throw new Problem(401, 'the token is not valid here');
      throw new Problem(503, 'the keys that sign tokens cannot be read now');
    }
  };
}

function keySet(keys: TokenSettings['keys']): JWTVerifyGetKey {
  if ('url' in keys) return createRemoteJWKSet(new URL(keys.url));
  const { set } = keys;
  if (typeof set !== 'function') return createLocalJWKSet({ keys: [...set] });
  let made: { readonly of: readonly JWK[]; readonly get: JWTVerifyGetKey } | undefined;
  return async (...asked) => {
    const now = await set();
    if (made?.of !== now) made = { of: now, get: createLocalJWKSet({ keys: [...now] }) };
    return made.get(...asked);
  };
}
