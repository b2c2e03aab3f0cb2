import { mkdir } from 'node:fs/promises';
import { cleanEnvironment } from './clean-environment.ts';
import { Failure } from './failure.ts';
import { checkBranch, checkRepository, nearMatches } from './git-names.ts';
import { run, type Finished } from './process.ts';

export interface GitOptions {
  /** Whether `file:///` addresses may be read: the local platform's own repository. */
  readonly allowFile?: boolean;
  readonly signal?: AbortSignal;
}

const LIST_WITHIN_MS = 60_000;
const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
/** Of the user's own settings, where credentials come from. */
const USER_SETTINGS = ['HOME', 'XDG_CONFIG_HOME', 'SSH_AUTH_SOCK', 'GIT_SSL_CAINFO', 'SSL_CERT_FILE'];

/**
 * The commit that a branch points at now.
 * @throws Failure `Missing` naming the branch and similar ones, `Denied`, `Unavailable`, `InvalidInput`
 */
export async function resolveBranch(
  repository: string,
  branch: string,
  options: GitOptions = {},
): Promise<string> {
  checkRepository(repository, options.allowFile ?? false);
  checkBranch(branch);
  const limit = AbortSignal.timeout(LIST_WITHIN_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  const listed = await git(['ls-remote', '--heads', '--', repository], { ...options, signal }).catch(
    (error: unknown) => {
      if (!limit.aborted || options.signal?.aborted) throw error;
      throw new Failure('Unavailable', `the repository ${repository} did not answer within 60 s`);
    },
  );
  if (listed.code !== 0) throw refusal(repository, listed);
  const heads = new Map(
    listed.stdout.split('\n').flatMap((line) => {
      const [commit, ref] = line.split('\t');
      return commit && ref ? [[ref.replace('refs/heads/', ''), commit] as const] : [];
    }),
  );
  const commit = heads.get(branch);
  if (commit) return commit;
  const near = nearMatches(branch, [...heads.keys()]);
  const hint = near.length > 0 ? `; similar ones are ${near.join(', ')}` : '';
  throw new Failure('Missing', `there is no branch ${branch} in ${repository}${hint}`);
}

/**
 * Puts exactly this commit into `folder`, which is made. Hooks do not run. With only the commit's own history where
 * the server gives a single commit, else with the branch's.
 * @throws Failure `Missing` when neither the server nor the branch has the commit any more
 */
export async function cloneCommit(
  source: { readonly repository: string; readonly branch: string; readonly commit: string },
  folder: string,
  options: GitOptions = {},
): Promise<void> {
  const { repository, branch, commit } = source;
  checkRepository(repository, options.allowFile ?? false);
  checkBranch(branch);
  if (!COMMIT.test(commit))
    throw new Failure('InvalidInput', `${JSON.stringify(commit.slice(0, 80))} is not a full commit hash`);

  await mkdir(folder, { recursive: true });
  const inFolder = (...args: string[]) => git(['-C', folder, ...args], options);
  await must(inFolder('init', '--quiet', '--template='), 'git init');
  const single = await inFolder('fetch', '--quiet', '--no-tags', '--depth=1', '--', repository, commit);
  if (single.code !== 0) {
    const ref = `refs/heads/${branch}`;
    const whole = await inFolder('fetch', '--quiet', '--no-tags', '--', repository, ref);
    if (whole.code !== 0) throw refusal(repository, whole);
    if ((await inFolder('cat-file', '-e', `${commit}^{commit}`)).code !== 0)
      throw new Failure(
        'Missing',
        `commit ${commit} is no longer in branch ${branch} of ${repository}; start a new execution`,
      );
  }
  await must(inFolder('checkout', '--quiet', '--detach', commit), `git checkout ${commit}`);
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
