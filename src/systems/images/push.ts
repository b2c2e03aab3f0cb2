import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { run } from '../process.ts';

export interface Registry {
  /** Registry and repository, `registry.example.com/site/aem`. */
  readonly repository: string;
  /** `user:password` of the registry; absent: it is open to this worker. */
  readonly credentials?: string;
  /** Whether the registry has no TLS that can be verified. */
  readonly insecure?: boolean;
  /** A folder for temporary files that nobody else can read. */
  readonly work: string;
  readonly signal?: AbortSignal;
}

export interface Push extends Registry {
  /** An OCI archive on disk. */
  readonly archive: string;
  /** Of the image in it, `sha256:<hex>`. */
  readonly digest: string;
  readonly tag: string;
}

const registryOf = ({ repository }: Registry) => repository.slice(0, repository.indexOf('/'));

const skopeo = ({ work, signal }: Registry, args: readonly string[], input?: string) =>
  run('skopeo', args, { env: { PATH: process.env.PATH, HOME: work, TMPDIR: work }, signal, input });

/** Why a registry did not do as asked. */
function refusal(what: string, stderr: string): Failure {
  const details = stderr.split('\n').filter(Boolean).slice(-5);
  const refused = /unauthorized|authentication required|invalid username|denied|forbidden/i.test(stderr);
  const remedy = ': the registry refuses the account. Check its secret and its rights';
  return new Failure(refused ? 'Denied' : 'Unavailable', `${what}${refused ? remedy : ''}`, { details });
}

/**
 * Whether skopeo is there and the registry answers and takes the account; of one without an account, skopeo only.
 * @throws Failure as `pushImage` does
 */
export async function askRegistry(registry: Registry): Promise<void> {
  const { credentials, insecure = false, work } = registry;
  if (credentials === undefined) return void (await skopeo(registry, ['--version']));
  const name = registryOf(registry);
  const separator = credentials.indexOf(':');
  const { code, stderr } = await skopeo(
    registry,
    [
      ...['login', '--authfile', join(work, 'login.json'), `--tls-verify=${String(!insecure)}`],
      ...['--username', credentials.slice(0, separator), '--password-stdin', name],
    ],
    credentials.slice(separator + 1),
  );
  if (code !== 0) throw refusal(`registry ${name} cannot be pushed to`, stderr);
}

/**
 * Brings an image to a registry, with skopeo, under its own digest: what is pushed is what was built. Pushed again it
 * stays as it is. The credentials are in a file that only this account can read, never on a command line.
 * @throws Failure `Denied`, `Unavailable`, `Missing` without skopeo, `Conflict` when the registry made another image of it
 */
export async function pushImage(push: Push): Promise<void> {
  const { archive, digest, repository, tag, credentials, insecure = false, work } = push;
  const [accounts, pushed] = [join(work, `${tag}.auth.json`), join(work, `${tag}.digest`)];
  const auth = credentials && { [registryOf(push)]: { auth: Buffer.from(credentials).toString('base64') } };
  await writeFile(accounts, JSON.stringify({ auths: auth ?? {} }), { mode: 0o600 });
  const { code, stderr } = await skopeo(push, [
    // Whether a signature is wanted is asked of what comes from somebody else; this was built here.
    ...['--insecure-policy', 'copy', '--quiet', '--preserve-digests'],
    ...['--dest-authfile', accounts, '--digestfile', pushed, `--dest-tls-verify=${String(!insecure)}`],
    ...[`oci-archive:${archive}`, `docker://${repository}:${tag}`],
  ]);
  if (code !== 0) throw refusal(`${repository}:${tag} cannot be pushed`, stderr);
  const there = (await readFile(pushed, 'utf8')).trim();
  if (there !== digest)
    throw new Failure(
      'Conflict',
      `${repository}:${tag} became ${there} in the registry; it was built as ${digest}`,
    );
}
