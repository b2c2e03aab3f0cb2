import { join } from 'node:path';
import type { BuildActivities, FunctionalTestInput, FunctionalTestOutcome } from '../model/activities.ts';
import { uiTestsOf, type KeptArtifact } from '../model/artifacts.ts';
import { Failure } from '../systems/failure.ts';
import { instancesUnderTest } from '../systems/functional-tests/instances.ts';
import { duration } from '../systems/functional-tests/results.ts';
import { refusalToRun, requireDockerfile, unpackContext } from '../systems/functional-tests/ui/context.ts';
import { imageRunner, type UiTestSettings } from '../systems/functional-tests/ui/run-image.ts';
import type { ImageBuilder } from '../systems/images/builder.ts';
import type { Secrets } from '../systems/secrets.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { keepResults, nothingRun } from './functional-test-outcome.ts';
import { secretsOf } from './hiding.ts';
import { projectTests } from './project-tests.ts';
import type { Spoken } from './spoken-log.ts';
import { markOf, withWorkFolder } from './work-folder.ts';

export interface UiTestDeps {
  readonly storage: Storage;
  readonly secret: Secrets;
  /** Where tests are put together, each time in a folder of its own that is removed afterwards. */
  readonly workFolder: string;
  /** What makes images and runs those of tests; absent on a worker that makes none. */
  readonly images?: { readonly builder: ImageBuilder; readonly uiTests: UiTestSettings };
  /** How long building the image and the tests may take, in milliseconds; 30 minutes each unless said otherwise. */
  readonly imageLimitMs?: number;
  readonly uiTestLimitMs?: number;
}

/** Cloud Manager's. */
const LIMIT_MS = 30 * 60_000;

export const uiTestActivities = (deps: UiTestDeps): Pick<BuildActivities, 'uiTest'> => ({
  uiTest: (input) =>
    projectTests(deps.storage, input.log, uiTestsOf(input.artifacts), 'UI tests', (context, spoken) =>
      runContext(deps, input, context, spoken),
    ),
});

async function runContext(
  deps: UiTestDeps,
  { executionKey, environment }: FunctionalTestInput,
  { path, file }: KeptArtifact,
  { signal, say, conceal, hide }: Spoken,
): Promise<FunctionalTestOutcome> {
  const id = executionKey.replaceAll('/', '-');
  return withWorkFolder(deps.workFolder, id, async (work) => {
    const packed = join(work, 'context.tar.gz');
    await deps.storage.fetch(file, packed, signal);
    const context = join(work, 'context');
    await unpackContext(packed, context, path, signal);
    const refusal = await refusalToRun(context);
    if (refusal) return nothingRun(`passed: the UI tests of ${path} are not run: ${refusal}`);
    await requireDockerfile(context, path);
    if (!deps.images)
      throw new Failure(
        'Missing',
        'this worker makes no images, and so runs no UI tests: add "images" to its settings (docs/functional-tests.md)',
      );

    const { builder, uiTests } = deps.images;
    const instances = await instancesUnderTest(environment, deps.secret);
    conceal(instances.flatMap(({ user, password }) => secretsOf(`${user}:${password}`)));
    const common = { id: markOf(deps.workFolder, `${id}-ui`), archive: join(work, 'image.tar'), onLine: say };
    say(`building the image of ${path} with ${await builder.version(signal)}`);
    await builder.clear(common.id);
    const image = await within(deps.imageLimitMs ?? LIMIT_MS, `the image of ${path}`, signal, (limited) =>
      builder.buildContext({ ...common, context, args: uiTests.buildArgs ?? [], signal: limited }),
    );
    const runner = imageRunner(uiTests);
    await runner.clear(common.id, image);
    say(`running it against ${instances.map(({ runMode, url }) => `${runMode} ${url}`).join(' and ')}`);
    const run = { ...common, image, work: join(work, 'run'), instances, signal };
    const results = await runner.run({ ...run, limitMs: deps.uiTestLimitMs ?? LIMIT_MS });
    return keepResults(deps.storage, `${executionKey}/results/uiTest.xml`, results, hide);
  });
}

/** @throws Failure `Rejected` when the time is over; the signal's reason */
async function within<T>(
  limitMs: number,
  what: string,
  signal: AbortSignal,
  make: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    return await make(AbortSignal.any([signal, limit]));
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error;
    throw new Failure('Rejected', `${what} was not built after ${duration(limitMs)}`);
  }
}
