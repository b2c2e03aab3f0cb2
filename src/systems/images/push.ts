import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { run } from '../process.ts';

export interface Push {
  /** An OCI archive on disk. */
  readonly archive: string;
  /** Of the image in it, `sha256:<hex>`. */
  readonly digest: string;
  /** Registry and repository, `registry.example.com/site/aem`. */
  readonly repository: string;
  readonly tag: string;
  /** `user:password` of the registry; absent: it is open to this worker. */
  readonly credentials?: string;
  /** Whether the registry has no TLS that can be verified. */
  readonly insecure?: boolean;
  /** A folder for temporary files that nobody else can read. */
  readonly work: string;
  readonly signal?: AbortSignal;
}

/**
 * Brings an image to a registry, with skopeo, under its own digest: what is pushed is what was built. Pushed again it
 * stays as it is. The credentials are in a file that only this account can read, never on a command line.
 * @throws Failure `Denied`, `Unavailable`, `Missing` without skopeo, `Conflict` when the registry made another image of it
 */
export async function pushImage(push: Push): Promise<void> {
  const { archive, digest, repository, tag, credentials, insecure = false, work, signal } = push;
  const registry = repository.slice(0, repository.indexOf('/'));
  const [accounts, pushed] = [join(work, `${tag}.auth.json`), join(work, `${tag}.digest`)];
  const auth = credentials && { [registry]: { auth: Buffer.from(credentials).toString('base64') } };
  await writeFile(accounts, JSON.stringify({ auths: auth ?? {} }), { mode: 0o600 });
  const { code, stderr } = await run(
    'skopeo',
    [
      // Whether a signature is wanted is asked of what comes from somebody else; this was built here.
      ...['--insecure-policy', 'copy', '--quiet', '--preserve-digests'],
      ...['--dest-authfile', accounts, '--digestfile', pushed, `--dest-tls-verify=${String(!insecure)}`],
      ...[`oci-archive:${archive}`, `docker://${repository}:${tag}`],
    ],
    { env: { PATH: process.env.PATH, HOME: work, TMPDIR: work }, signal },
  );
  if (code !== 0) {
    const details = stderr.split('\n').filter(Boolean).slice(-5);
    const refused = /unauthorized|authentication required|denied|forbidden/i.test(stderr);
    throw new Failure(
      refused ? 'Denied' : 'Unavailable',
      `${repository}:${tag} cannot be pushed${refused ? ': the registry refuses the account. Check its secret and its rights' : ''}`,
      { details },
    );
  }
  const there = (await readFile(pushed, 'utf8')).trim();
  if (there !== digest)
    throw new Failure(
      'Conflict',
      `${repository}:${tag} became ${there} in the registry; it was built as ${digest}`,
    );
}
