import type { Problem } from '../model/activities.ts';
import type { Environment } from '../model/schema/definition.ts';
import { askAgent } from './activities.ts';
import { understood } from './failures.ts';

/** What keeps the dispatchers of these environments from being deployed to, as their own agents see it. */
export async function agentProblems(
  programId: string,
  environments: readonly Environment[],
): Promise<readonly Problem[]> {
  const asked = environments.flatMap((environment) =>
    environment.dispatchers.map(({ id }) => problemsOfNode(programId, environment, id)),
  );
  return (await Promise.all(asked)).flat();
}

/** The same of one dispatcher; `unavailable` when its agent does not answer. */
export async function problemsOfNode(
  programId: string,
  environment: Environment,
  nodeId: string,
): Promise<readonly Problem[]> {
  const node = { programId, environmentId: environment.id, nodeId };
  const thing = `environment ${environment.id} (${environment.name}) ${nodeId}`;
  try {
    const problems = await askAgent(node).checkAgent.executeWithOptions(
      { summary: `Ask the agent of ${nodeId}, ${environment.name}` },
      [{ node }],
    );
    return problems.map((problem) => ({ thing, problem, remedy: 'see to the host, then start again' }));
  } catch (error) {
    const { type, message } = understood(error);
    const remedy = 'start the Fairway agent on that host';
    return [{ thing, problem: message, remedy, unavailable: type === 'Unavailable' }];
  }
}
