import { access, constants, stat } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import { messageOf } from '../../systems/failure.ts';
import { run } from '../../systems/process.ts';
import { VARIABLES_KEY } from '../../systems/secret-variables.ts';
import { openStorage } from '../../systems/storage/open.ts';
import { isS3 } from '../../systems/storage/s3/place.ts';
import type { Secrets } from '../../systems/secrets.ts';
import type { Finding } from './finding.ts';

/** The storage, as this machine sees it. */
export async function storageFinding(folder: string | undefined): Promise<Finding> {
  const common = { area: 'Storage', what: folder ?? 'storage' } as const;
  if (folder === undefined)
    return {
      ...common,
      state: 'bad',
      found: 'no storage is named: logs, results, artifacts and old executions cannot be read',
      remedy:
        'set FAIRWAY_STORAGE, or "storage" in the settings file, to the folder or bucket that the workers use',
    };
  if (isS3(folder)) return bucketFinding(folder);
  try {
    if (!(await stat(folder)).isDirectory()) throw new Error('it is not a folder');
    await access(folder, constants.R_OK);
    return { ...common, state: 'good', found: 'can be read' };
  } catch (error) {
    const remedy = 'name the folder that the workers use, and let this user read it';
    return { ...common, state: 'bad', found: messageOf(error), remedy };
  }
}

async function bucketFinding(place: string): Promise<Finding> {
  const common = { area: 'Storage', what: place } as const;
  try {
    await openStorage(place).size('doctor');
    return { ...common, state: 'good', found: 'can be read' };
  } catch (error) {
    const remedy = 'see to the bucket, its region and endpoint, and the credentials of this machine';
    return { ...common, state: 'bad', found: messageOf(error), remedy };
  }
}

/** The key of secret variables; nobody needs it who has none. */
export async function keyFinding(secret: Secrets): Promise<Finding> {
  const common = { area: 'Credentials', what: `key of secret variables (${VARIABLES_KEY})` } as const;
  return secret(VARIABLES_KEY).then(
    () => ({ ...common, state: 'good', found: 'is there' }),
    (error: unknown) => ({
      ...common,
      state: 'note',
      found: messageOf(error),
      remedy: `only for "variables set --secret": openssl rand -base64 32, as secret ${VARIABLES_KEY} here and where workers build`,
    }),
  );
}

const tools = [
  { program: 'git', args: ['--version'], needed: 'workers fetch repositories with it' },
  // Their version alone says nothing of whether they work; whether they can run the image of builds, only a build tells.
  {
    program: 'podman',
    args: ['info', '--format', 'podman {{.Version.Version}}'],
    needed: 'builds run in a container with it (or docker)',
  },
  {
    program: 'docker',
    args: ['version', '--format', 'docker {{.Server.Version}}'],
    needed: 'builds run in a container with it (or podman)',
  },
  { program: 'mvn', args: ['--version'], needed: 'builds run with it where no container engine works' },
  { program: 'javac', args: ['-version'], needed: 'builds run with it where no container engine works' },
] as const;

/** The programs that a worker needs, on this machine. */
export const toolFindings = (): Promise<Finding[]> =>
  Promise.all(
    tools.map(async ({ program, args, needed }): Promise<Finding> => {
      const common = { area: 'Tools', what: program } as const;
      try {
        const { code, stdout, stderr } = await run(program, args);
        const [version = ''] = stripVTControlCharacters(stdout || stderr).split('\n'); // Maven colours even this
        if (code === 0) return { ...common, state: 'good', found: version };
        const [said = ''] = stderr.trim().split('\n').slice(-1);
        return { ...common, state: 'note', found: said || `ends with exit code ${code}`, remedy: needed };
      } catch {
        return {
          ...common,
          state: 'note',
          found: 'not on this machine',
          remedy: `${needed}; only workers need it`,
        };
      }
    }),
  );
