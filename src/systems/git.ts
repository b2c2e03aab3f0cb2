import { mkdir } from 'node:fs/promises';
import { isRefName, repositoryProblem } from '../model/git-names.ts';
import { nearMatches } from '../model/near-matches.ts';
import { cleanEnvironment } from './clean-environment.ts';
import { Failure } from './failure.ts';
import { run, type Finished } from './process.ts';

export interface GitOptions {
  /** Whether `file:///` addresses may be read: the local platform's own repository. */
  readonly allowFile?: boolean;
  readonly signal?: AbortSignal;
}

/** A branch or a tag; exactly one of the two. */
export interface GitSource {
  readonly branch?: string;
  readonly tag?: string;
}

const LIST_WITHIN_MS = 60_000;
const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
/** Of the user's own settings, where credentials come from. */
const USER_SETTINGS = ['HOME', 'XDG_CONFIG_HOME', 'SSH_AUTH_SOCK', 'GIT_SSL_CAINFO', 'SSL_CERT_FILE'];

function checkRefName(kind: 'branch' | 'tag', name: string): void {
  if (!isRefName(name))
    throw new Failure(
      'InvalidInput',
      `${JSON.stringify(name.slice(0, 255))} is not a valid name of a ${kind}`,
    );
}

function checkRepository(url: string, allowFile: boolean): void {
  const problem = repositoryProblem(url, allowFile);
  const shown = JSON.stringify(url.replace(/\/\/[^/]*@/, '//***@').slice(0, 200));
  if (problem) throw new Failure('InvalidInput', `the repository ${shown} cannot be read: it ${problem}`);
}

/**
 * The commit that a branch or a tag points at now.
 * @throws Failure `Missing` naming it and similar ones, `Denied`, `Unavailable`, `InvalidInput`
 */
export async function resolveSource(
  repository: string,
  source: GitSource,
  options: GitOptions = {},
): Promise<string> {
  const { kind, name, ref } = checkedRef(source);
  const refs = await listRefs(repository, kind === 'branch' ? '--heads' : '--tags', options);
  // An annotated tag is an object of its own: what it stands for is listed with `^{}`.
  const commit = refs.get(`${ref}^{}`) ?? refs.get(ref);
  if (commit) return commit;
  const names = [...refs.keys()].map((known) => known.replace(/^refs\/(heads|tags)\/|\^\{\}$/g, ''));
  const near = nearMatches(name, [...new Set(names)]);
  const hint = near.length > 0 ? `; similar ones are ${near.join(', ')}` : '';
  throw new Failure('Missing', `there is no ${kind} ${name} in ${repository}${hint}`);
}

/** The branches of a repository. @throws Failure as `resolveSource` */
export async function branchesOf(repository: string, options: GitOptions = {}): Promise<string[]> {
  const refs = await listRefs(repository, '--heads', options);
  return [...refs.keys()].map((ref) => ref.replace(/^refs\/heads\//, ''));
}

/** Full names of refs, and what they point at. */
async function listRefs(
  repository: string,
  kind: '--heads' | '--tags',
  options: GitOptions,
): Promise<Map<string, string>> {
  checkRepository(repository, options.allowFile ?? false);
  const limit = AbortSignal.timeout(LIST_WITHIN_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  const listing = await git(['ls-remote', kind, '--', repository], {
    ...options,
    signal,
  }).catch((error: unknown) => {
    if (!limit.aborted || options.signal?.aborted) throw error;
    throw new Failure('Unavailable', `the repository ${repository} did not answer within 60 s`);
  });
  if (listing.code !== 0) throw refusal(repository, listing);
  return new Map(
    listing.stdout.split('\n').flatMap((line) => {
      const [hash, listed] = line.split('\t');
      return hash && listed ? [[listed, hash] as const] : [];
    }),
  );
}

/**
 * Puts exactly this commit into `folder`, which is made. Hooks do not run. With only the commit's own history where
 * the server gives a single commit, else with the branch's.
 * @throws Failure `Missing` when neither the server nor the branch has the commit any more
 */
export async function cloneCommit(
  wanted: { readonly repository: string; readonly source: GitSource; readonly commit: string },
  folder: string,
  options: GitOptions = {},
): Promise<void> {
  const { repository, commit } = wanted;
  checkRepository(repository, options.allowFile ?? false);
  const { kind, name, ref } = checkedRef(wanted.source);
  if (!COMMIT.test(commit))
    throw new Failure('InvalidInput', `${JSON.stringify(commit.slice(0, 80))} is not a full commit hash`);

  await mkdir(folder, { recursive: true });
  const inFolder = (...args: string[]) => git(['-C', folder, ...args], options);
  await must(inFolder('init', '--quiet', '--template='), 'git init');
  const single = await inFolder('fetch', '--quiet', '--no-tags', '--depth=1', '--', repository, commit);
  if (single.code !== 0) {
    const whole = await inFolder('fetch', '--quiet', '--no-tags', '--', repository, ref);
    if (whole.code !== 0) throw refusal(repository, whole);
    if ((await inFolder('cat-file', '-e', `${commit}^{commit}`)).code !== 0)
      throw new Failure(
        'Missing',
        `commit ${commit} is no longer in ${kind} ${name} of ${repository}; start a new execution`,
      );
  }
  await must(inFolder('checkout', '--quiet', '--detach', commit), `git checkout ${commit}`);
}

function checkedRef({ branch, tag }: GitSource): { kind: 'branch' | 'tag'; name: string; ref: string } {
  const [kind, name = ''] = branch === undefined ? (['tag', tag] as const) : (['branch', branch] as const);
  checkRefName(kind, name);
  return { kind, name, ref: `refs/${kind === 'branch' ? 'heads' : 'tags'}/${name}` };
}

async function must(finished: Promise<Finished>, what: string): Promise<void> {
  const { code, stderr } = await finished;
  if (code !== 0) throw new Failure('Unavailable', `${what} failed`, { details: lastLines(stderr) });
}

function git(args: readonly string[], { allowFile, signal }: GitOptions): Promise<Finished> {
  const hardened = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'gc.auto=0'];
  return run('git', [...hardened, ...args], {
    signal,
    env: {
      ...cleanEnvironment(process.env, USER_SETTINGS),
      LC_ALL: 'C',
      GIT_ALLOW_PROTOCOL: allowFile ? 'https:ssh:file' : 'https:ssh',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: 'true',
      GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
    },
  });
}

function refusal(repository: string, { stderr }: Finished): Failure {
  const details = lastLines(stderr);
  if (/authentication failed|permission denied|could not read (username|password)|403/i.test(stderr))
    return new Failure(
      'Denied',
      `the repository ${repository} refuses the credentials of this worker; set them in its git configuration`,
      { details },
    );
  if (/not found|does not exist|does not appear to be a git repository|no such file/i.test(stderr))
    return new Failure('Missing', `there is no repository ${repository} that this worker can see`, {
      details,
    });
  return new Failure('Unavailable', `the repository ${repository} cannot be reached`, { details });
}

const lastLines = (text: string): string[] => text.trim().split('\n').slice(-5);
