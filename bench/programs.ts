import type { NodeRef } from '../src/model/activities.ts';
import type { Actor } from '../src/model/actor.ts';
import type { ProgramInput } from '../src/model/schema/definition.ts';

export const bencher: Actor = { subject: 'bench', via: 'script', verified: false };

const NOWHERE = 'http://127.0.0.1:1';

type EnvironmentInput = ProgramInput['environments'][number];
type PipelineInput = ProgramInput['pipelines'][number];

/** An environment of so many legs; nothing in it is reachable. */
export const environment = (id: string, type: EnvironmentInput['type'], legs: number): EnvironmentInput => {
  const numbers = Array.from({ length: legs }, (_, index) => index + 1);
  return {
    ...{ id, type, name: `${type} ${id}` },
    author: [{ id: 'author', url: NOWHERE, credentials: 'AEM' }],
    publish: numbers.map((n) => ({ id: `publish${n}`, url: NOWHERE, credentials: 'AEM' })),
    dispatchers: numbers.map((n) => ({
      id: `dispatcher${n}`,
      url: NOWHERE,
      publish: `publish${n}`,
      server: `dispatcher${n}`,
    })),
    loadBalancer: { type: 'haproxy', socket: '/nowhere.sock', backend: 'site', url: NOWHERE },
  };
};

export const repository = { url: 'https://git.example.com/site.git', branch: 'main' };

/** A program with a stage of one leg, a production of `legs`, and one production pipeline that waits for nobody. */
export const productionProgram = (
  id: string,
  legs: number,
  pipeline: Partial<PipelineInput & { type: 'production' }> = {},
): ProgramInput => ({
  ...{ id, name: `Program ${id}`, type: 'aem_managed_services' },
  environments: [environment('11', 'stage', 1), environment('12', 'prod', legs)],
  pipelines: [
    {
      ...{ id: '101', name: 'Production', type: 'production', repository },
      ...{ stageEnvironment: '11', productionEnvironment: '12' },
      ...{ approval: false, dispatcherCacheFlushPaths: ['/content/site'] },
      ...pipeline,
    },
  ],
});

/** The nodes whose agents a program needs. */
export const nodesOf = ({ id, environments }: ProgramInput): NodeRef[] =>
  environments.flatMap((one) =>
    (one.dispatchers ?? []).map(({ id: nodeId }) => ({ programId: id, environmentId: one.id, nodeId })),
  );
