import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { BuildActivities, BuildInput, BuildOutput } from '../model/activities.ts';
import { chooseEngine, type EngineSettings } from '../systems/build-engine/choose.ts';
import type { BuildEngine } from '../systems/build-engine/engine.ts';
import { mavenCommands } from '../systems/build-engine/maven.ts';
import { readBuildReports, type ReportsOfBuild } from '../systems/build-reports.ts';
import { Failure, messageOf } from '../systems/failure.ts';
import { cloneCommit } from '../systems/git.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { collectArtifacts } from './build-artifacts.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { liveLog } from './live-log.ts';

export interface BuildDeps {
  readonly storage: Storage;
  /** Where builds run, each in a folder of its own that is removed afterwards. */
  readonly workFolder: string;
  readonly engine: EngineSettings;
  /** Maven's local repository that builds share; without it each build starts with an empty one. */
  readonly mavenRepository?: string;
  /** The worker's own Maven settings: mirrors, proxies. */
  readonly mavenSettings?: string;
  /** Whether `file:///` repositories may be built. */
  readonly allowFileRepositories?: boolean;
}

/** Lines at the end of a log that a failure carries. */
const LAST_LINES = 20;
/** Characters of a line that go anywhere but into the log. */
const LONGEST_DETAIL = 300;

export function buildActivities(deps: BuildDeps): BuildActivities {
  return {
    build: (input) =>
      whileHeartbeating(async (signal, beat) => {
        const log = liveLog(deps.storage, input.log);
        const say = (line: string) => {
          log.line(line);
          beat(line.slice(0, LONGEST_DETAIL));
        };
        try {
          return await build(deps, input, signal, say);
        } catch (error) {
          say(signal.aborted ? 'cancelled' : messageOf(error));
          if (error instanceof Failure) error.details.forEach((detail) => log.line(`  ${detail}`));
          throw error;
        } finally {
          await log.close();
        }
      }),
  };
}

async function build(
  deps: BuildDeps,
  input: BuildInput,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<BuildOutput> {
  const id = `${input.programId}-${input.pipeline.id}-${input.executionId}`;
  if (!/^[0-9-]+$/.test(id))
    throw new Failure('InvalidInput', `${JSON.stringify(id)} is no id of an execution`);
  const engine = await chooseEngine(deps.engine, signal);
  say(`building ${input.commit} of ${input.pipeline.repository.branch} in: ${engine.name}`);
  if (engine.why) say(engine.why);

  const root = resolve(deps.workFolder);
  await engine.clear(id);
  await removeAttempts(root, id);
  const work = join(root, `${id}.${randomUUID()}`);
  try {
    const project = join(work, 'project');
    const { url: repository, branch } = input.pipeline.repository;
    await mkdir(work, { recursive: true });
    await cloneCommit({ repository, branch, commit: input.commit }, project, {
      allowFile: deps.allowFileRepositories,
      signal,
    });
    const reports = await runMaven(deps, input, engine, { id, work, project, signal, say });
    const prefix = `${input.programId}/${input.pipeline.id}/${input.executionId}/artifacts`;
    const artifacts = await collectArtifacts(project, prefix, deps.storage, say);
    return { artifacts, engine: engine.name, reports: { tests: reports.tests, coverage: reports.coverage } };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Attempt {
  readonly id: string;
  readonly work: string;
  readonly project: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

async function runMaven(
  deps: BuildDeps,
  input: BuildInput,
  engine: BuildEngine,
  { id, work, project, signal, say }: Attempt,
): Promise<ReportsOfBuild> {
  const home = join(work, 'home');
  const repository = deps.mavenRepository ? resolve(deps.mavenRepository) : join(work, 'repository');
  await Promise.all([home, repository].map((path) => mkdir(path, { recursive: true })));
  const { artifactsVersion } = input;
  const settings = deps.mavenSettings && resolve(deps.mavenSettings);
  const commands = await mavenCommands(project, { artifactsVersion, repository, settings });

  const recent: string[] = [];
  const onLine = (line: string) => {
    say(line);
    if (recent.push(line.slice(0, LONGEST_DETAIL)) > LAST_LINES) recent.shift();
  };
  for (const command of commands) {
    say(`$ ${command.join(' ')}`);
    const code = await engine.run(command, {
      ...{ id, folder: project, writable: [home, repository], readable: settings ? [settings] : [] },
      env: environment(input, home),
      onLine,
      signal,
    });
    if (code !== 0) {
      failOnTests(await readBuildReports(project));
      const goal = command.slice(command.findIndex((word) => word.includes(':'))).join(' ');
      throw new Failure('BuildFailed', `Maven failed with exit code ${code} in ${goal}`, { details: recent });
    }
  }
  const reports = await readBuildReports(project);
  failOnTests(reports); // a project can tell Maven to go on in spite of them
  const { run, skipped } = reports.tests;
  say(`${run} unit tests ran, none failed, ${skipped} skipped`);
  return reports;
}

function failOnTests({ tests, failedTests }: ReportsOfBuild): void {
  if (tests.failed === 0) return;
  const named = failedTests.slice(0, 10).map(({ name }) => name);
  const more = failedTests.length > named.length ? ` and ${failedTests.length - named.length} more` : '';
  throw new Failure(
    'BuildFailed',
    `${tests.failed} of ${tests.run} unit tests failed: ${named.join(', ')}${more}`,
    { details: failedTests.slice(0, 100).map(({ name, message }) => `${name}: ${message}`) },
  );
}

/** The variables that Cloud Manager gives a build; the pipeline's own cannot replace them. */
const environment = (input: BuildInput, home: string): Record<string, string> => ({
  ...input.pipeline.variables,
  HOME: home,
  CM_BUILD: 'true',
  BRANCH: input.pipeline.repository.branch,
  CM_PIPELINE_ID: input.pipeline.id,
  CM_PIPELINE_NAME: input.pipeline.name,
  CM_PROGRAM_ID: input.programId,
  CM_PROGRAM_NAME: input.programName,
  ARTIFACTS_VERSION: input.artifactsVersion,
});

/** What attempts of this build left that died with their worker. */
async function removeAttempts(root: string, id: string): Promise<void> {
  await mkdir(root, { recursive: true });
  const left = (await readdir(root)).filter((entry) => entry.startsWith(`${id}.`));
  await Promise.all(left.map((entry) => rm(join(root, entry), { recursive: true, force: true })));
}
