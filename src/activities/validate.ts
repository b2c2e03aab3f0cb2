import type { Client } from '@temporalio/client';
import type { Activities, Problem, ValidateInput } from '../model/activities.ts';
import { legsOf } from '../model/deployment-plan.ts';
import { leaseWorkflowId } from '../model/execution.ts';
import type { Environment } from '../model/schema/definition.ts';
import { Failure, messageOf } from '../systems/failure.ts';
import { resolveBranch } from '../systems/git.ts';
import { haproxy } from '../systems/load-balancer/haproxy.ts';
import { pause } from '../systems/pause.ts';
import { crxPackageManager } from '../systems/package-manager/crx.ts';
import type { Secrets } from '../systems/secrets.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';
import { describeRunning } from './waits.ts';

interface Deps {
  readonly storage: Storage;
  readonly secret: Secrets;
  readonly client: Client;
  /** Whether `file:` repositories may be read. */
  readonly allowFileRepositories: boolean;
}

/** D1: the branch exists, the environments exist and are available. Every problem at once. */
export const validateActivities = (deps: Deps): Pick<Activities, 'validate'> => ({
  validate: (input) =>
    whileHeartbeating(async (signal) => {
      const say = stepLog(deps.storage, input.log, 'validate');
      const { url, branch } = input.pipeline.repository;
      let commit: string | undefined;
      const checks = [
        problems(
          `branch ${branch}`,
          'name a branch of this repository in the pipeline, and see that this worker can read it',
          async () => {
            commit = await resolveBranch(url, branch, { allowFile: deps.allowFileRepositories, signal });
            return [];
          },
        ),
        ...input.environments.flatMap((environment) => environmentChecks(environment, input, deps, signal)),
      ];
      const found = (await Promise.all(checks)).flat();
      signal.throwIfAborted();
      const warnings = input.environments.flatMap(redundancyWarnings);
      for (const { thing, problem, remedy } of found) await say(`${thing}: ${problem} (${remedy})`);
      for (const warning of warnings) await say(`note: ${warning}`);
      if (found.length === 0) await say(`branch ${branch} is at ${commit}; the environments are available`);
      return { problems: found, warnings, commit };
    }),
});

function environmentChecks(
  environment: Environment,
  { programId }: ValidateInput,
  { secret, client }: Deps,
  signal: AbortSignal,
): Promise<Problem[]>[] {
  const { id, name, author, publish, dispatchers, loadBalancer } = environment;
  const thing = `environment ${id} (${name})`;
  const checks = [...author, ...publish].map((instance) =>
    problems(
      `${thing} ${instance.id}`,
      `see to the AEM instance at ${instance.url} and its credentials`,
      async () => {
        const credentials = await secret(instance.credentials);
        await crxPackageManager({ url: instance.url, credentials }).list(signal);
        return [];
      },
    ),
  );
  checks.push(
    problems(thing, 'wait for its end, or cancel it', async () => {
      const holder = await describeRunning(client, leaseWorkflowId(programId, id));
      return holder ? [`it is in use: ${holder}`] : [];
    }),
  );
  if (loadBalancer && dispatchers.length > 0)
    checks.push(
      problems(`${thing} load balancer`, 'correct the names of its servers in the definition', async () => {
        const known = (await haproxy(loadBalancer).servers()).map((server) => server.name);
        return dispatchers
          .filter(({ server }) => !known.includes(server))
          .map(({ server }) => `it has no server ${server}; it has ${known.join(', ') || 'none'}`);
      }),
    );
  return checks;
}

const TRIES = 3;
const BETWEEN_MS = 500;

/** What does not answer is asked again: one refused connection is no reason to end an execution. */
async function problems(thing: string, remedy: string, check: () => Promise<string[]>): Promise<Problem[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await check()).map((problem) => ({ thing, problem, remedy }));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const unavailable = error.type === 'Unavailable';
      if (!unavailable || attempt === TRIES)
        return [{ thing, problem: messageOf(error), remedy, unavailable }];
    }
    await pause(BETWEEN_MS);
  }
}

/** R2: with one leg only, a rolling deployment takes the whole site away. */
const redundancyWarnings = (environment: Environment): string[] =>
  environment.type === 'prod' &&
  legsOf(environment).filter(({ dispatchers }) => dispatchers.length > 0).length < 2
    ? [
        `environment ${environment.id} (${environment.name}) has no redundancy: visitors will see an outage while it is deployed to`,
      ]
    : [];
