import type { AemArtifact } from '../../../model/artifacts.ts';
import { packageLabel } from '../../../model/artifacts.ts';
import type { Instance } from '../../../model/schema/definition.ts';
import { packageManagerOf } from '../../package-manager/choose.ts';
import { bundleInWords, expectationOf, isInstalled, unwell } from '../../package-manager/settle.ts';
import { require, type Checklist } from './checklist.ts';
import { granite } from '../../granite.ts';

/** AEM's own page that needs no session. */
const LOGIN = '/libs/granite/core/content/login.html';

/** Author and publish: it is up, has what was deployed, and what was deployed runs. */
export async function checkInstance(
  list: Checklist,
  instance: Instance & { readonly account: string },
  artifacts: readonly AemArtifact[],
  signal: AbortSignal,
): Promise<void> {
  const { id, url, account } = instance;
  const manager = packageManagerOf(instance, account);
  const noAem = instance.packageManager === 'composum' ? 'Apache Sling has no login page of AEM' : undefined;
  await list.check(id, 'shows its login page', noAem, async () => {
    const { status } = await granite({ url, credentials: account }).get(LOGIN, signal);
    require(status === 200, `${LOGIN} answered ${status}`);
  });
  const expected = artifacts.map((artifact) => expectationOf(artifact.package));
  const nothing = artifacts.length === 0 ? 'the build has no AEM packages' : undefined;
  await list.check(id, 'has the packages', nothing, async () => {
    const there = await manager.list(signal);
    const missing = expected.flatMap(({ packages }) => packages).filter((one) => !isInstalled(one, there));
    require(missing.length === 0, `not installed: ${missing.map(packageLabel).join(', ')}`);
  });
  const names = expected.flatMap(({ bundles }) => bundles);
  const noBundles = names.length === 0 ? 'the packages have no bundles for every instance' : undefined;
  await list.check(id, 'runs the bundles of the packages', noBundles, async () => {
    const there = await manager.bundles(signal);
    const own = there.filter(({ symbolicName }) => names.includes(symbolicName));
    const missing = names.filter((name) => !own.some(({ symbolicName }) => symbolicName === name));
    const stopped = (await unwell(manager, own, signal)).map(bundleInWords);
    const trouble = [...missing.map((name) => `bundle ${name} is not there`), ...stopped];
    require(trouble.length === 0, trouble.join(', '));
  });
}
