import type { AemArtifact, DispatcherArtifact, KeptArtifact } from '../../src/model/artifacts.ts';
import type { ProductionPipelineInput, ProgramInput } from '../../src/model/schema/definition.ts';

/** An environment of one author and pairs of publish and dispatcher; nothing in it is reachable. */
export const environment = (id: string, name: string, type: 'stage' | 'prod', pairs: number) => {
  const numbers = Array.from({ length: pairs }, (_, index) => index + 1);
  return {
    id,
    name,
    type,
    author: [{ id: 'author', url: 'http://127.0.0.1:1', credentials: 'AEM' }],
    publish: numbers.map((n) => ({ id: `publish${n}`, url: 'http://127.0.0.1:1', credentials: 'AEM' })),
    dispatchers: numbers.map((n) => ({
      id: `dispatcher${n}`,
      url: 'http://127.0.0.1:1',
      publish: `publish${n}`,
      server: `dispatcher${n}`,
    })),
    loadBalancer: {
      type: 'haproxy' as const,
      socket: '/nowhere.sock',
      backend: 'dispatchers',
      url: 'http://127.0.0.1:1',
    },
  };
};

/** An environment that is a namespace of a cluster; nothing in it is reachable. */
export const clusterEnvironment = (id: string, name: string, type: 'dev' | 'stage' | 'prod') => {
  const at = { url: 'https://127.0.0.1:1', credentials: 'AEM' };
  return {
    ...{ id, name, type },
    kubernetes: {
      ...{ server: 'https://127.0.0.1:1', token: 'CLUSTER', namespace: `site-${type}` },
      ...{ author: at, publish: at, dispatcher: { url: 'https://127.0.0.1:1' } },
    },
  };
};

/** A program with a stage of one pair and a production of two; nothing in it is reachable. */
export const definition = (
  pipeline: Partial<ProductionPipelineInput> = {},
  program: Partial<ProgramInput> = {},
): ProgramInput => ({
  id: '1',
  name: 'Example',
  type: 'aem_managed_services',
  environments: [environment('11', 'Stage', 'stage', 1), environment('12', 'Production', 'prod', 2)],
  pipelines: [
    {
      id: '101',
      name: 'Production pipeline',
      type: 'production',
      repository: { url: 'file:///nowhere', branch: 'main' },
      stageEnvironment: '11',
      productionEnvironment: '12',
      approval: true,
      schedule: true,
      cse: 'ANY_CSE',
      dispatcherCacheFlushPaths: ['/content/site'],
      ...pipeline,
    },
  ],
  ...program,
});

/** UI tests that a build brought. */
export const uiTests: KeptArtifact = {
  ...{ kind: 'kept', path: 'ui.tests/target/site-ui-test-docker-context.tar.gz', test: 'ui' },
  ...{ file: { key: '1/101/0/artifacts/ui.tar.gz', sha256: 'sha-ui', size: 1 }, reason: 'it holds UI tests' },
};

export const aemArtifact = (name: string, version = '1.0.0', dependencies: string[] = []): AemArtifact => ({
  kind: 'aem',
  path: `${name}/target/${name}-${version}.zip`,
  file: { key: `1/101/0/artifacts/${name}-${version}.zip`, sha256: `sha-${name}-${version}`, size: 1 },
  package: {
    id: { group: 'example', name, version },
    dependencies: dependencies.map((dependency) => ({ group: 'example', name: dependency, range: '' })),
    embedded: [],
    bundles: [],
  },
});

export const dispatcherArtifact: DispatcherArtifact = {
  kind: 'dispatcher',
  path: 'dispatcher/target/dispatcher-1.0.0.zip',
  file: { key: '1/101/0/artifacts/dispatcher-1.0.0.zip', sha256: 'sha-dispatcher', size: 1 },
};
