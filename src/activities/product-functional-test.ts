import type { Activities, FunctionalTestOutcome, ProductTestInput } from '../model/activities.ts';
import type { AemArtifact } from '../model/artifacts.ts';
import { idsOf } from '../model/execution.ts';
import { askHttp } from '../systems/http-ask.ts';
import { countTests, junitXml } from '../systems/functional-tests/junit.ts';
import { Checklist, require } from '../systems/functional-tests/product/checklist.ts';
import { granite } from '../systems/granite.ts';
import { checkInstance } from '../systems/functional-tests/product/instances.ts';
import { pageLife, type Site } from '../systems/functional-tests/product/page-life.ts';
import { hasRemains, removeRemains } from '../systems/functional-tests/product/remains.ts';
import { testPage } from '../systems/functional-tests/product/test-page.ts';
import type { Deps } from './deps.ts';
import { functionalTestOutcome } from './functional-test-outcome.ts';
import { secretsOf } from './hiding.ts';
import { whileSpeaking, type Spoken } from './spoken-log.ts';

export interface ProductFunctionalTestDeps extends Deps {
  /** How long replication may take, in milliseconds; a minute unless said otherwise. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 60_000;
const REMOVING_MS = 30_000;

export const productFunctionalTestActivities = (
  deps: ProductFunctionalTestDeps,
): Pick<Activities, 'productFunctionalTest'> => ({
  productFunctionalTest: (input) =>
    whileSpeaking(deps.storage, input.log, async (spoken) => {
      const outcome = await test(deps, input, spoken);
      spoken.say(outcome.result);
      return outcome;
    }),
});

async function test(
  { storage, secret, patienceMs = PATIENCE_MS }: ProductFunctionalTestDeps,
  { environment, artifacts, executionKey, balanced = false }: ProductTestInput,
  { signal, say, conceal }: Spoken,
): Promise<FunctionalTestOutcome> {
  const withAccount = (instance: (typeof environment.author)[number]) =>
    secret(instance.credentials).then((account) => ({ ...instance, account }));
  const author = await Promise.all(environment.author.map(withAccount));
  const publish = await Promise.all(environment.publish.map(withAccount));
  conceal([...author, ...publish].flatMap(({ account }) => secretsOf(account)));

  const list = new Checklist(say, signal, patienceMs);
  const packages = artifacts.filter((artifact): artifact is AemArtifact => artifact.kind === 'aem');
  for (const instance of [...author, ...publish]) await checkInstance(list, instance, packages, signal);
  await checkVisitors(list, environment, signal);

  const site: Site = {
    author: author[0] && granite({ ...author[0], credentials: author[0].account }),
    isAem: [...author.slice(0, 1), ...publish].every((one) => one.packageManager !== 'composum'),
    publish: publish.map(({ id, url, account }) => ({
      id,
      instance: granite({ url, credentials: account }),
    })),
    dispatchers: environment.dispatchers,
    host: environment.probe.host,
    balanced,
  };
  const page = testPage(environment.probe.path, idsOf(executionKey).executionId);
  if (await hasRemains(site, page.path, signal)) {
    say(`${page.path} is there, left by an earlier attempt: it is removed`);
    await removeRemains(site, page.path, AbortSignal.any([signal, AbortSignal.timeout(REMOVING_MS)]));
  }
  let left: readonly string[] = [];
  try {
    await pageLife(list, site, page, signal);
  } finally {
    // Not under the signal of the test: a cancelled one leaves nothing either.
    left = await removeRemains(site, page.path, AbortSignal.timeout(REMOVING_MS));
    if (left.length > 0) say(`${page.path} could not be removed, do it by hand: ${left.join(', ')}`);
  }
  await list.check('page', 'is gone everywhere', undefined, async () =>
    require(left.length === 0, `still there: ${left.join(', ')}`),
  );
  const { run } = countTests([list.suite]);
  const report = await storage.put(
    `${executionKey}/results/productFunctionalTest.xml`,
    junitXml([list.suite]),
  );
  const problem = run === 0 ? 'no test could be run: no node of the environment can be reached' : undefined;
  return functionalTestOutcome([list.suite], report, problem);
}

/** Each dispatcher, and the load balancer as visitors come to it, serves the page that tells whether they are well. */
async function checkVisitors(
  list: Checklist,
  { dispatchers, loadBalancer, probe: { path, host } }: ProductTestInput['environment'],
  signal: AbortSignal,
): Promise<void> {
  const doors = [
    ...dispatchers.map(({ id, url }) => ({ id, url })),
    ...(loadBalancer ? [{ id: 'loadBalancer', url: loadBalancer.url }] : []),
  ];
  for (const { id, url } of doors)
    await list.check(id, 'serves the site', undefined, async () => {
      const { status } = await askHttp(new URL(path, url), { host, signal });
      require(status === 200, `${path} answered ${status}`);
    });
}
