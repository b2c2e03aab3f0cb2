import type { Problem } from '../model/activities.ts';
import type { Environment } from '../model/schema/definition.ts';
import { askAgent } from './activities.ts';
import { understood } from './failures.ts';

/** What keeps the dispatchers of these environments from being deployed to, as their own agents see it. */
export async function absentAgents(
  programId: string,
  environments: readonly Environment[],
): Promise<readonly Problem[]> {
  const asked = environments.flatMap((environment) =>
    environment.dispatchers.map(async ({ id }): Promise<Problem[]> => {
      const node = { programId, environmentId: environment.id, nodeId: id };
      const thing = `environment ${environment.id} (${environment.name}) ${id}`;
      try {
        const problems = await askAgent(node).checkAgent.executeWithOptions(
          { summary: `Ask the agent of ${id}, ${environment.name}` },
          [{ node }],
        );
        return problems.map((problem) => ({ thing, problem, remedy: 'see to the host, then start again' }));
      } catch (error) {
        return [
          { thing, problem: understood(error).message, remedy: 'start the Fairway agent on that host' },
        ];
      }
    }),
  );
  return (await Promise.all(asked)).flat();
}
