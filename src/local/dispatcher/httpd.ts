import { Failure } from '../../systems/failure.ts';
import { run } from '../../systems/process.ts';
import { onPath } from '../setup/on-path.ts';

/** Whom httpd runs as when we are root. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Apache's server program.
 * @throws Failure `Missing` where there is none
 */
export function httpdProgram(): string {
  const found = onPath('apache2') ?? onPath('httpd');
  if (!found) throw new Failure('Missing', 'Apache httpd is not installed (Debian: apt-get install apache2)');
  return found;
}

/**
 * The user to run httpd as: another one when we are root, since httpd refuses to serve as root.
 * @throws Failure `Missing` when none of the usual ones exists
 */
export async function unprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['www-data', 'apache', 'nobody']) {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    if (uid.code === 0 && gid.code === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Failure('Missing', 'there is no user www-data, apache or nobody that httpd could run as');
}

/**
 * What to put before the command that starts httpd. On Linux it then gets SIGTERM, and so ends its own children, when
 * this process dies. As root, all of httpd runs as the other user, with the right to pass through folders that are
 * closed to it: a node's folder may lie in root's home or in a private temporary one.
 */
export function asUser(user: User | undefined): string[] {
  const setpriv = onPath('setpriv');
  if (!setpriv) return [];
  const identity = user && [
    ...['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'],
    ...['--inh-caps', '-all,+dac_override', '--ambient-caps', '-all,+dac_override'],
  ];
  return [setpriv, ...(identity ?? []), '--pdeathsig', 'TERM', '--'];
}
