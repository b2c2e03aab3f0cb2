import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { LOCAL_ALGORITHM, LOCAL_AUDIENCE, LOCAL_ISSUER, type Keys } from './keys.ts';
import type { Role } from './roles.ts';

export interface Minted {
  readonly token: string;
  /** Its `jti`, by which it can be revoked. */
  readonly id: string;
  readonly expiresAt: Date;
}

/** Makes a token as the local key set proves it. Clients of Adobe's take `client_id` for their API key. */
export async function mint(
  { signing: [key] }: Keys,
  {
    subject,
    roles,
    clientId,
    seconds,
  }: { subject: string; roles: readonly Role[]; clientId: string; seconds: number },
): Promise<Minted> {
  const expiresAt = new Date((Math.floor(Date.now() / 1000) + seconds) * 1000);
  const id = randomUUID();
  const token = await new SignJWT({ roles, client_id: clientId, type: 'access_token' })
    .setProtectedHeader({ alg: LOCAL_ALGORITHM, kid: key.kid })
    .setIssuer(LOCAL_ISSUER)
    .setAudience(LOCAL_AUDIENCE)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(expiresAt)
    .setJti(id)
    .sign(key);
  return { token, id, expiresAt };
}
