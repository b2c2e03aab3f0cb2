import type { Environment } from '../../model/schema/definition.ts';
import type { SecurityKpi } from '../../model/security.ts';
import { messageOf } from '../failure.ts';
import { defaultLoginAccounts } from './accounts.ts';
import { exposureChecks } from './exposed.ts';
import { pageChecks } from './pages.ts';
import { slingReferrerFilter } from './requests.ts';
import { unknown, type NodeKind, type SecurityCheck, type Target, type Verdict } from './target.ts';

export const securityChecks: readonly SecurityCheck[] = [
  defaultLoginAccounts,
  slingReferrerFilter,
  ...exposureChecks,
  ...pageChecks,
];

export interface Finding extends Verdict {
  readonly kpi: SecurityKpi;
  readonly node: string;
}

/** Runs every check on every node it concerns. A node that does not answer leaves its checks unknown. */
export async function checkSecurity(
  environment: Pick<Environment, 'author' | 'publish' | 'dispatchers' | 'probe'>,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const targets = (kind: NodeKind, nodes: readonly { id: string; url: string }[]): Target[] =>
    nodes.map(({ id, url }) => ({ node: id, kind, url, page: environment.probe, signal }));
  const all = [
    ...targets('author', environment.author),
    ...targets('publish', environment.publish),
    ...targets('dispatcher', environment.dispatchers),
  ];
  const runs = securityChecks.flatMap(({ kpi, concerns, check }) =>
    all
      .filter(({ kind }) => concerns.includes(kind))
      .map(async (target): Promise<Finding> => {
        const verdict = await check(target).catch((error: unknown) => {
          signal?.throwIfAborted();
          return unknown(messageOf(error));
        });
        return { kpi, node: target.node, ...verdict };
      }),
  );
  return Promise.all(runs);
}
