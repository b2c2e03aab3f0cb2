import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { containerProgram, environmentArgs } from '../../build-engine/container-program.ts';
import { Failure, messageOf } from '../../failure.ts';
import type { InstanceUnderTest } from '../instances.ts';
import { readJunitXml, type TestSuite } from '../junit.ts';
import { ended, judged, outOfTime, type TestResults } from '../results.ts';

/** Where UI tests run, and what they are given beside the instances. */
export interface UiTestSettings {
  /** Path or name of podman or docker; `podman` when absent. */
  readonly program?: string;
  /** Its arguments before the command: `--storage-driver`, ... */
  readonly globalArgs?: readonly string[];
  /** Arguments of the container: `--network`, `--shm-size`, ... */
  readonly runArgs?: readonly string[];
  /** Arguments of buildah's `build`: `--isolation`, `--network`, ... */
  readonly buildArgs?: readonly string[];
  /** A Selenium server for the tests that use one. */
  readonly selenium?: {
    readonly url: string;
    readonly browser: string;
    /** Where it takes files that tests upload. */
    readonly uploadUrl?: string;
  };
}

export interface ImageRun {
  /** Names the container: the same for every attempt. */
  readonly id: string;
  /** What `podman load` takes, and the name that it gets. */
  readonly archive: string;
  readonly image: string;
  /** A folder of its own, for the reports. */
  readonly work: string;
  readonly instances: readonly InstanceUnderTest[];
  /** Milliseconds. */
  readonly limitMs: number;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/** In the container; for the tests it is a folder that everybody may write to. */
const REPORTS = '/reports';

/** MiB, as Cloud Manager gives the container of UI tests. */
const MEMORY = 1024;

/** Of a process that was ended by SIGKILL: here nobody else does that. */
const KILLED = 137;

/** Podman or docker, as far as UI tests need it. */
export function imageRunner({ program = 'podman', globalArgs, runArgs = [], selenium }: UiTestSettings) {
  const { ask, remove } = containerProgram({ program, globalArgs });
  const nameOf = (id: string) => `fairway-ui-tests-${id}`;
  const perform = async (what: string, args: readonly string[], signal?: AbortSignal) => {
    const { code, stderr } = await ask(args, { signal });
    const details = stderr.split('\n').filter(Boolean).slice(-5);
    if (code !== 0)
      throw new Failure('Missing', `${program} cannot ${what}: ${details.at(-1) ?? `exit code ${code}`}`, {
        details,
      });
  };

  /** Removes what a dead attempt left. */
  const clear = async (id: string, image: string) => {
    await remove(nameOf(id));
    await ask(['rmi', '--force', image]);
  };

  /** Makes the container, with a folder for the reports: copied, so that nobody needs to own it on both sides. */
  const create = async ({ id, image, work, instances, signal }: ImageRun) => {
    const empty = join(work, 'empty');
    await mkdir(empty, { recursive: true });
    await chmod(empty, 0o1777);
    const variables = await environmentArgs(environment(instances, selenium));
    const limits = [`--memory=${MEMORY}m`, `--memory-swap=${MEMORY}m`];
    const rights = ['--cap-drop=all', '--security-opt=no-new-privileges'];
    const args = ['create', '--name', nameOf(id), ...limits, ...rights, ...variables.args, ...runArgs, image];
    await perform('make a container of the UI tests', args, signal).finally(variables.remove);
    await perform('copy to the container', ['cp', empty, `${nameOf(id)}:${REPORTS}`], signal);
  };

  /** The exit code of a container; undefined when its time was over. */
  const toTheEnd = async ({ id, work, limitMs, onLine, signal }: ImageRun): Promise<number | undefined> => {
    const name = nameOf(id);
    const limit = AbortSignal.timeout(limitMs);
    const either = AbortSignal.any([signal, limit]);
    const stop = () => void remove(name).catch(() => undefined); // ending the client does not end the container
    either.addEventListener('abort', stop, { once: true });
    try {
      // Podman's monitor writes a file to where it was started when memory runs out.
      return (await ask(['start', '--attach', name], { cwd: work, onLine, signal: either })).code;
    } catch (error) {
      if (signal.aborted || !limit.aborted) throw error;
      return undefined;
    } finally {
      either.removeEventListener('abort', stop);
    }
  };

  return {
    clear,
    /**
     * Runs the image to its end, in a container that sees nothing of this machine. Nothing of it stays, however it ends.
     * @throws Failure `Missing` without a program that runs containers; the signal's reason
     */
    async run(given: ImageRun): Promise<TestResults> {
      const { id, archive, image, work, limitMs, signal } = given;
      try {
        await perform('load the image of the UI tests', ['load', '--input', archive], signal);
        await create(given);
        const code = await toTheEnd(given);
        if (code === undefined) return { suites: [], problem: outOfTime(limitMs) };
        const reports = join(work, 'reports');
        await perform('copy the reports', ['cp', `${nameOf(id)}:${REPORTS}`, reports], signal);
        return await resultsOf(reports, code);
      } finally {
        await clear(id, image);
      }
    },
  };
}

/** The environment variables of Cloud Manager (page "UI Testing"). */
function environment(
  instances: readonly InstanceUnderTest[],
  selenium: UiTestSettings['selenium'],
): Record<string, string> {
  const ofInstances = instances.flatMap(({ runMode, url, user, password }) =>
    Object.entries({ URL: url, USERNAME: user, PASSWORD: password }).map(
      ([name, value]) => [`AEM_${runMode.toUpperCase()}_${name}`, value] as const,
    ),
  );
  return {
    ...Object.fromEntries(ofInstances),
    REPORTS_PATH: REPORTS,
    ...(selenium && { SELENIUM_BASE_URL: selenium.url, SELENIUM_BROWSER: selenium.browser }),
    ...(selenium?.uploadUrl && { UPLOAD_URL: selenium.uploadUrl }),
  };
}

/** What a run comes to that left this in its folder for reports. */
export async function resultsOf(folder: string, code: number): Promise<TestResults> {
  if (code === KILLED)
    return {
      suites: [],
      problem: `${ended(code)}: it was killed, as happens to what needs more memory than the ${MEMORY} MiB it has`,
    };
  const suites: TestSuite[] = [];
  // Links are not followed: they could lead to any file of this machine.
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.xml'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  try {
    for (const file of files)
      suites.push(...((await readJunitXml(file, `${file.slice(folder.length + 1)} of the UI tests`)) ?? []));
  } catch (error) {
    return { suites, problem: `${ended(code)} and cannot be judged: ${messageOf(error)}` };
  }
  if (suites.length === 0)
    return { suites, problem: `${ended(code)} and left no JUnit XML in REPORTS_PATH (${REPORTS})` };
  return judged(suites, code, 'the reports in REPORTS_PATH hold none');
}
