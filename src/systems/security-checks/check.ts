import type { Environment } from '../../model/schema/definition.ts';
import type { SecurityKpi } from '../../model/security.ts';
import { messageOf } from '../failure.ts';
import type { Secrets } from '../secrets.ts';
import { defaultLoginAccounts } from './accounts.ts';
import { dispatcherChecks } from './dispatcher.ts';
import { exposureChecks } from './exposed.ts';
import { askHealthChecks, insideChecks, type HealthChecks } from './health.ts';
import { pageChecks } from './pages.ts';
import { slingReferrerFilter } from './requests.ts';
import { unknown, type SecurityCheck, type Target, type Verdict } from './target.ts';

/** How each check is made over HTTP, where the instance has no health check for it. */
export const securityChecks: readonly SecurityCheck[] = [
  defaultLoginAccounts,
  slingReferrerFilter,
  ...exposureChecks,
  ...pageChecks,
  ...dispatcherChecks,
  ...insideChecks,
];

export interface Finding extends Verdict {
  readonly kpi: SecurityKpi;
  readonly node: string;
}

/**
 * Runs every check on every node it concerns: by the health checks of an instance where it has them, by looking from
 * outside otherwise. A node that does not answer leaves its checks unknown.
 */
export async function checkSecurity(
  environment: Pick<Environment, 'author' | 'publish' | 'dispatchers' | 'probe' | 'loadBalancer'>,
  { secret, signal }: { readonly secret: Secrets; readonly signal?: AbortSignal },
): Promise<readonly Finding[]> {
  const { probe: page, loadBalancer } = environment;
  const instances = (['author', 'publish'] as const).flatMap((kind) =>
    environment[kind].map(async ({ id, url, credentials }) => {
      const health = await askHealthChecks(url, await secret(credentials), signal);
      return { node: id, kind, url, page, signal, health };
    }),
  );
  const dispatchers = environment.dispatchers.map(({ id, url }) => ({
    ...{ node: id, kind: 'dispatcher' as const, url, page, signal },
    visitors: loadBalancer?.url,
  }));
  const all: (Target & { readonly health?: HealthChecks })[] = [
    ...(await Promise.all(instances)),
    ...dispatchers,
  ];
  const runs = all.flatMap(({ health, ...target }) =>
    securityChecks
      .filter(({ concerns }) => concerns.includes(target.kind))
      .map(async ({ kpi, check }): Promise<Finding> => {
        const own = health?.verdicts.get(kpi);
        if (own) return { kpi, node: target.node, ...own };
        const verdict = await check({ ...target, noHealthCheck: health?.why }).catch((error: unknown) => {
          signal?.throwIfAborted();
          return unknown(messageOf(error));
        });
        return { kpi, node: target.node, ...verdict };
      }),
  );
  return Promise.all(runs);
}
