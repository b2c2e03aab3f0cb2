import { join, resolve } from 'node:path';
import type { BuildActivities, FunctionalTestInput, FunctionalTestOutcome } from '../model/activities.ts';
import { testJarOf, type KeptArtifact } from '../model/artifacts.ts';
import { chooseEngine } from '../systems/build-engine/choose.ts';
import {
  clearTests,
  runTests,
  testRunner,
  type InstanceUnderTest,
} from '../systems/functional-tests/custom/run-tests.ts';
import { junitXml, type TestSuite } from '../systems/functional-tests/junit.ts';
import type { Secrets } from '../systems/secrets.ts';
import { boundedLog } from './bounded-log.ts';
import type { BuildDeps } from './build.ts';
import { functionalTestOutcome } from './functional-test-outcome.ts';
import { secretsOf } from './hiding.ts';
import { whileSpeaking, type Spoken } from './spoken-log.ts';
import { markOf, withWorkFolder } from './work-folder.ts';

export type FunctionalTestDeps = Pick<
  BuildDeps,
  'storage' | 'secret' | 'workFolder' | 'engine' | 'analysers' | 'mavenRepository' | 'mavenSettings'
> & {
  /** How long the tests may take, in milliseconds; an hour unless said otherwise, as with Cloud Manager. */
  readonly testLimitMs?: number;
};

const LIMIT_MS = 60 * 60_000;

export const functionalTestActivities = (
  deps: FunctionalTestDeps,
): Pick<BuildActivities, 'functionalTest'> => ({
  functionalTest: (input) =>
    whileSpeaking(
      deps.storage,
      input.log,
      async (spoken) => {
        const jar = testJarOf(input.artifacts);
        const outcome = jar
          ? await runJar(deps, input, jar, spoken)
          : { passed: true, result: 'passed: no test JAR in the build', tests: noTests, failures: [] };
        spoken.say(outcome.result);
        return outcome;
      },
      boundedLog,
    ),
});

const noTests = { run: 0, failed: 0, skipped: 0 };

async function runJar(
  deps: FunctionalTestDeps,
  { executionKey, environment }: FunctionalTestInput,
  { path, file }: KeptArtifact,
  { signal, say, conceal, hide }: Spoken,
): Promise<FunctionalTestOutcome> {
  const instances = await instancesOf(environment, deps.secret);
  conceal(instances.flatMap(({ user, password }) => secretsOf(`${user}:${password}`)));
  const id = executionKey.replaceAll('/', '-');
  const mark = markOf(deps.workFolder, `${id}-test`);
  await clearTests(mark);
  return withWorkFolder(deps.workFolder, id, async (work) => {
    const jar = join(work, 'tests.jar');
    await deps.storage.fetch(file, jar, signal);
    const runner = await testRunner(
      {
        ...{ id: mark, engine: await chooseEngine(deps.engine, signal), say, signal },
        toolsFolder: resolve(deps.analysers ?? join(deps.workFolder, 'analysers')),
        mavenRepository: deps.mavenRepository ? resolve(deps.mavenRepository) : join(work, 'repository'),
        mavenSettings: deps.mavenSettings && resolve(deps.mavenSettings),
      },
      work,
    );
    say(`running ${path} against ${instances.map(({ runMode, url }) => `${runMode} ${url}`).join(' and ')}`);
    const limitMs = deps.testLimitMs ?? LIMIT_MS;
    const { suites, problem } = await runTests({
      ...{ id: mark, jar, runner, instances, limitMs, onLine: say, signal },
      work: join(work, 'run'),
    });
    const shown = suites.map((suite) => hiddenSuite(suite, hide));
    const report = await deps.storage.put(`${executionKey}/results/functionalTest.xml`, junitXml(shown));
    return functionalTestOutcome(shown, report, problem);
  });
}

/** The first author and the first publish instance: Cloud Manager knows one of each. */
async function instancesOf(
  { author, publish }: FunctionalTestInput['environment'],
  secret: Secrets,
): Promise<InstanceUnderTest[]> {
  const first = [
    ...author.slice(0, 1).map((instance) => ({ ...instance, runMode: 'author' as const })),
    ...publish.slice(0, 1).map((instance) => ({ ...instance, runMode: 'publish' as const })),
  ];
  return Promise.all(
    first.map(async ({ runMode, url, credentials }) => {
      const [user = '', ...rest] = (await secret(credentials)).split(':');
      return { runMode, url, user, password: rest.join(':') };
    }),
  );
}

const hiddenSuite = ({ name, cases }: TestSuite, hide: (text: string) => string): TestSuite => ({
  name,
  cases: cases.map((test) => ({
    ...test,
    className: hide(test.className),
    name: hide(test.name),
    message: test.message && hide(test.message),
    details: test.details && hide(test.details),
  })),
});
