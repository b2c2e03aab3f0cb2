import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BuildActivities, BuildInput, BuildOutput } from '../model/activities.ts';
import { isPerformanceVariable } from '../model/performance-variables.ts';
import { sourceInWords, sourceText } from '../model/source.ts';
import { chooseEngine, type EngineSettings } from '../systems/build-engine/choose.ts';
import type { BuildEngine } from '../systems/build-engine/engine.ts';
import { mavenCommands } from '../systems/build-engine/maven.ts';
import { keepProject } from '../systems/code-scanner/project.ts';
import { readBuildReports, type ReportsOfBuild } from '../systems/build-reports.ts';
import { Failure } from '../systems/failure.ts';
import { cloneCommit } from '../systems/git.ts';
import type { Secrets } from '../systems/secrets.ts';
import { unlessSilent } from '../systems/silence.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { collectArtifacts } from './build-artifacts.ts';
import { collectTests } from './build-tests.ts';
import { shortened, whileSpeaking, type Spoken } from './spoken-log.ts';
import { secretValues } from './variables.ts';
import { markOf, withWorkFolder } from './work-folder.ts';

export interface BuildDeps {
  readonly storage: Storage;
  /** Where the key of secret variables comes from. */
  readonly secret: Secrets;
  /** Where builds run, each in a folder of its own that is removed afterwards. */
  readonly workFolder: string;
  readonly engine: EngineSettings;
  /** Maven's local repository that builds share; without it each build starts with an empty one. */
  readonly mavenRepository?: string;
  /** Where the analysers of code scanning are kept; in the work folder when absent. */
  readonly analysers?: string;
  /** The worker's own Maven settings: mirrors, proxies. */
  readonly mavenSettings?: string;
  /** How long Maven may say nothing; 15 minutes when absent. */
  readonly silenceMinutes?: number;
  /** Whether `file:///` repositories may be built. */
  readonly allowFileRepositories?: boolean;
}

type Variables = Readonly<Record<string, string>>;

/** Longer than any download or test is quiet that will come to an end. */
const SILENCE_MINUTES = 15;
/** Lines at the end of a log that a failure carries. */
const LAST_LINES = 20;

export function buildActivities(deps: BuildDeps): Pick<BuildActivities, 'build'> {
  return {
    build: (input) =>
      whileSpeaking(deps.storage, input.log, async (spoken) => {
        const secrets = await buildSecrets(deps, input);
        spoken.conceal(Object.values(secrets));
        return build(deps, input, secrets, spoken);
      }),
  };
}

async function build(
  deps: BuildDeps,
  input: BuildInput,
  secrets: Variables,
  { signal, say, hide }: Spoken,
): Promise<BuildOutput> {
  const id = `${input.programId}-${input.pipeline.id}-${input.executionId}`;
  const engine = await chooseEngine(deps.engine, signal);
  say(`building ${input.commit} of ${sourceInWords(input.pipeline.repository)} in: ${engine.name}`);
  if (engine.why) say(engine.why);

  const mark = markOf(deps.workFolder, id);
  await engine.clear(mark);
  return withWorkFolder(deps.workFolder, id, async (work) => {
    const project = join(work, 'project');
    const { url: repository, ...source } = input.pipeline.repository;
    await cloneCommit({ repository, source, commit: input.commit }, project, {
      allowFile: deps.allowFileRepositories,
      signal,
    });
    const reports = await runMaven(deps, input, engine, {
      ...{ id: mark, work, project, secrets, signal, say, hide },
    });
    const prefix = `${input.programId}/${input.pipeline.id}/${input.executionId}`;
    const artifacts = await collectArtifacts(project, `${prefix}/artifacts`, deps.storage, say, {
      // A pipeline that only judges the code may build what cannot be deployed.
      deployable: input.pipeline.type !== 'codeQuality',
      flavour: input.flavour,
      signal,
    });
    const tests = await collectTests(project, `${prefix}/artifacts`, deps.storage, say, signal);
    const code = await keepProject(
      project,
      {
        ...{ storage: deps.storage, programId: input.programId, key: `${prefix}/code.zip` },
        mavenRepository: repositoryOf(deps, work),
      },
      signal,
    );
    return {
      artifacts: [...artifacts, ...tests],
      engine: engine.name,
      reports: { tests: reports.tests },
      code,
    };
  });
}

/** Maven's local repository of an attempt. */
const repositoryOf = (deps: BuildDeps, work: string): string =>
  deps.mavenRepository ? resolve(deps.mavenRepository) : join(work, 'repository');

interface Attempt {
  readonly id: string;
  readonly work: string;
  readonly project: string;
  readonly secrets: Variables;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly hide: (text: string) => string;
}

async function runMaven(
  deps: BuildDeps,
  input: BuildInput,
  engine: BuildEngine,
  { id, work, project, secrets, signal, say, hide }: Attempt,
): Promise<ReportsOfBuild> {
  const home = join(work, 'home');
  const repository = repositoryOf(deps, work);
  await Promise.all([home, repository].map((path) => mkdir(path, { recursive: true })));
  const { artifactsVersion } = input;
  const settings = deps.mavenSettings && resolve(deps.mavenSettings);
  const commands = await mavenCommands(project, { artifactsVersion, repository, settings });

  const recent: string[] = [];
  const { silenceMinutes = SILENCE_MINUTES } = deps;
  for (const command of commands) {
    say(`$ ${command.join(' ')}`);
    const goal = command.slice(command.findIndex((word) => word.includes(':'))).join(' ');
    const stuck = () =>
      new Failure(
        'BuildFailed',
        `Maven said nothing for ${silenceMinutes} minutes in ${goal} and was ended: its last lines say what it waited for. ` +
          'A build that is quiet for so long needs a higher "build.silenceMinutes" in the settings of the worker',
        { details: recent },
      );
    const code = await unlessSilent(silenceMinutes * 60_000, signal, stuck, (limited, spoke) =>
      engine.run(command, {
        ...{ id, folder: project, writable: [home, repository], readable: settings ? [settings] : [] },
        env: environment(input, secrets, home),
        onLine: (line) => {
          spoke();
          say(line);
          if (recent.push(shortened(hide(line))) > LAST_LINES) recent.shift();
        },
        signal: limited,
      }),
    );
    if (code !== 0) {
      failOnTests(await readBuildReports(project));
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

/** The pipeline's secret variables for the build. @throws Failure saying which cannot be had, and why */
const buildSecrets = (deps: BuildDeps, { programId, pipeline, secretVariables = [] }: BuildInput) =>
  secretValues(
    deps,
    { programId, pipelineId: pipeline.id },
    secretVariables.filter(({ name }) => !isPerformanceVariable(name)),
  );

/** The variables that Cloud Manager gives a build; the pipeline's own cannot replace them. */
const environment = (input: BuildInput, secrets: Variables, home: string): Variables => ({
  ...Object.fromEntries(
    Object.entries(input.pipeline.variables).filter(([name]) => !isPerformanceVariable(name)),
  ),
  ...secrets,
  HOME: home,
  CM_BUILD: 'true',
  BRANCH: sourceText(input.pipeline.repository),
  CM_PIPELINE_ID: input.pipeline.id,
  CM_PIPELINE_NAME: input.pipeline.name,
  CM_PROGRAM_ID: input.programId,
  CM_PROGRAM_NAME: input.programName,
  ...(input.artifactsVersion === undefined ? {} : { ARTIFACTS_VERSION: input.artifactsVersion }),
});
