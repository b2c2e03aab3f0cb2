import type { Client } from '@temporalio/client';
import { text } from 'node:stream/consumers';
import type { Activities, Problem, ValidateInput } from '../model/activities.ts';
import { legsOf } from '../model/deployment-plan.ts';
import { idsOf, recordKey, type ExecutionState } from '../model/execution.ts';
import { imagesRefusal } from '../model/kubernetes.ts';
import { unmeasured } from '../model/measured-nodes.ts';
import { reExecutionRefusal, type ReExecuted } from '../model/re-execution.ts';
import type { Environment } from '../model/schema/definition.ts';
import { sourceInWords } from '../model/source.ts';
import { resolveSource } from '../systems/git.ts';
import { preflight } from '../systems/load-balancer/preflight.ts';
import { packageManagerOf } from '../systems/package-manager/choose.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { clusterChecks, unreachedWarnings } from './cluster-checks.ts';
import type { Deps } from './deps.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { problems } from './problems.ts';
import { stepLog } from './step-log.ts';
import { siteSettings } from './variables.ts';
import { userOf } from './waits.ts';

interface ValidateDeps extends Deps {
  readonly client: Client;
  /** Whether `file:` repositories may be read. */
  readonly allowFileRepositories: boolean;
}

/** D1: the branch exists, the environments exist and are available. Every problem at once. */
export const validateActivities = (deps: ValidateDeps): Pick<Activities, 'validate'> => ({
  validate: (input) =>
    whileHeartbeating(async (signal) => {
      const say = stepLog(deps.storage, input.log, 'validate');
      const { url, ...source } = input.pipeline.repository;
      const { reExecutes } = input;
      const what =
        reExecutes === undefined ? sourceInWords(source) : `execution ${idsOf(reExecutes).executionId}`;
      let commit: string | undefined;
      let reExecuted: ReExecuted | undefined;
      const checks = [
        reExecutes === undefined
          ? problems(
              what,
              'name a branch or tag of this repository in the pipeline, and see that this worker can read it',
              signal,
              async () => {
                commit = await resolveSource(url, source, { allowFile: deps.allowFileRepositories, signal });
                return [];
              },
            )
          : problems(what, 'start the pipeline instead', signal, async () => {
              const earlier = await readRecord(deps.storage, reExecutes);
              const refusals = [
                reExecutionRefusal(earlier),
                ...input.environments.map((one) => one.kubernetes && imagesRefusal(one, earlier.images)),
              ].filter((refusal) => refusal !== undefined);
              if (refusals.length > 0) return refusals;
              reExecuted = pickReExecuted(earlier);
              return [];
            }),
        ...input.environments.flatMap((environment) => environmentChecks(environment, input, deps, signal)),
        siteProblems(input, deps, signal),
      ];
      const found = [
        ...(await Promise.all(checks)).flat(),
        ...input.environments.flatMap((environment) => unmeasured(environment, input.performance?.gates)),
      ];
      signal.throwIfAborted();
      const warnings = input.environments.flatMap((one) => [
        ...redundancyWarnings(one),
        ...unreachedWarnings(one),
      ]);
      for (const { thing, problem, remedy } of found) await say(`${thing}: ${problem} (${remedy})`);
      for (const warning of warnings) await say(`note: ${warning}`);
      if (found.length === 0)
        await say(
          `${reExecuted ? `the artifacts of ${what} are there` : `${what} is at ${commit}`}; the environments are available`,
        );
      return { problems: found, warnings, commit, reExecuted };
    }),
});

function environmentChecks(
  environment: Environment,
  { programId }: ValidateInput,
  deps: ValidateDeps,
  signal: AbortSignal,
): Promise<Problem[]>[] {
  const { secret, client } = deps;
  const { id, name, author, publish, dispatchers, loadBalancer, kubernetes } = environment;
  const thing = `environment ${id} (${name})`;
  const checks = [...author, ...publish].map((instance) =>
    problems(
      `${thing} ${instance.id}`,
      `see to the AEM instance at ${instance.url} and its credentials`,
      signal,
      async () => {
        await packageManagerOf(instance, await secret(instance.credentials)).list(signal);
        return [];
      },
    ),
  );
  checks.push(
    problems(thing, 'wait for its end, or cancel it', signal, async () => {
      const user = await userOf(client, programId, id);
      return user ? [`it is in use: ${user}`] : [];
    }),
  );
  if (kubernetes) checks.push(...clusterChecks(thing, kubernetes, deps, signal));
  if (loadBalancer && dispatchers.length > 0)
    checks.push(
      problems(`${thing} load balancer`, 'see to it, or correct the definition', signal, () =>
        preflight(loadBalancer, dispatchers),
      ),
    );
  return checks;
}

/** @throws Failure `Missing` when it left none */
const readRecord = async (storage: Storage, executionKey: string) =>
  JSON.parse(await text(await storage.get(recordKey(executionKey)))) as ExecutionState;

const pickReExecuted = ({ commit, artifactsVersion, artifacts, images }: ExecutionState): ReExecuted => ({
  ...{ commit, artifactsVersion, artifacts },
  ...(images ? { images } : {}),
});

/** How the load test will enter the site. */
const siteProblems = (
  { programId, pipeline, performance }: ValidateInput,
  deps: Deps,
  signal: AbortSignal,
): Promise<Problem[]> =>
  problems(
    'performance tests',
    'correct the variables of the pipeline, or "performance.credentials" of the program',
    signal,
    async () => {
      if (!performance) return [];
      const owner = { programId, pipelineId: pipeline.id };
      await siteSettings(deps, owner, performance.variables, performance.goals);
      return [];
    },
  );

/** R2: with one leg only, a rolling deployment takes the whole site away; on a cluster, with one publish instance. */
const redundancyWarnings = (environment: Environment): string[] =>
  environment.type === 'prod' && !isRedundant(environment)
    ? [
        `environment ${environment.id} (${environment.name}) has no redundancy: visitors will see an outage while it is deployed to`,
      ]
    : [];

const isRedundant = (environment: Environment): boolean =>
  environment.kubernetes
    ? environment.kubernetes.replicas.publish > 1
    : legsOf(environment).filter(({ dispatchers }) => dispatchers.length > 0).length > 1;
