import { join, resolve } from 'node:path';
import type { BuildActivities, FunctionalTestInput, FunctionalTestOutcome } from '../model/activities.ts';
import { testJarOf, type KeptArtifact } from '../model/artifacts.ts';
import { chooseEngine } from '../systems/build-engine/choose.ts';
import { clearTests, runTests, testRunner } from '../systems/functional-tests/custom/run-tests.ts';
import { instancesUnderTest } from '../systems/functional-tests/instances.ts';
import type { BuildDeps } from './build.ts';
import { keepResults } from './functional-test-outcome.ts';
import { secretsOf } from './hiding.ts';
import { projectTests } from './project-tests.ts';
import type { Spoken } from './spoken-log.ts';
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
    projectTests(deps.storage, input.log, testJarOf(input.artifacts), 'test JAR', (jar, spoken) =>
      runJar(deps, input, jar, spoken),
    ),
});

async function runJar(
  deps: FunctionalTestDeps,
  { executionKey, environment }: FunctionalTestInput,
  { path, file }: KeptArtifact,
  { signal, say, conceal, hide }: Spoken,
): Promise<FunctionalTestOutcome> {
  const instances = await instancesUnderTest(environment, deps.secret);
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
    const results = await runTests({
      ...{ id: mark, jar, runner, instances, limitMs, onLine: say, signal },
      work: join(work, 'run'),
    });
    return keepResults(deps.storage, `${executionKey}/results/functionalTest.xml`, results, hide);
  });
}
