import type { DefinedProgram } from '../client/catalogue.ts';
import type { Pipeline, Program } from '../model/schema/definition.ts';
import { sourceText } from '../model/source.ts';
import { environmentOf, phaseOf, stepsOf, type StepId } from '../model/steps.ts';
import { links, paths } from './hal.ts';

/** Programs, environments and pipelines in Cloud Manager's form. */

/** An installation is one tenant. */
export const TENANT = '1';
const tenantPath = `/api/tenant/${TENANT}`;
export const tenantOf = () => ({
  ...{ id: TENANT, description: 'Fairway' },
  _links: links(tenantPath, { programs: `${tenantPath}/programs` }),
});

/** As lists show it. */
export const embeddedProgram = ({ definition: { id, name } }: DefinedProgram) => ({
  ...{ id, name, enabled: true, tenantId: TENANT, status: 'ready' as const },
  _links: links(paths.program(id), { tenant: tenantPath }),
});

export const programOf = (program: DefinedProgram) => {
  const { definition, revision, emergency } = program;
  const { id, type } = definition;
  return {
    ...embeddedProgram(program),
    ...{ type, capabilities: { sandbox: false }, revision, emergency: emergency?.activated ?? false },
    _links: links(paths.program(id), {
      pipelines: paths.pipelines(id),
      environments: paths.environments(id),
      repositories: `${paths.program(id)}/repositories`,
      tenant: tenantPath,
    }),
  };
};

export const environmentsOf = ({ definition: { id: programId, environments } }: DefinedProgram) =>
  environments.map(({ id, name, type }) => {
    const self = paths.environment(programId, id);
    return {
      ...{ id, programId, name, type, status: 'ready' as const, availableLogOptions: [] },
      _links: links(self, {
        program: paths.program(programId),
        logs: `${self}/logs{?service,name,days}`,
        variables: `${self}/variables`,
      }),
    };
  });

/** `busy`: whether an execution of it runs, also one that waits for a person. */
export function pipelineOf(program: Pick<Program, 'id' | 'type'>, pipeline: Pipeline, busy: boolean) {
  const { id: programId, type: flavour } = program;
  const { id, name } = pipeline;
  const self = paths.pipeline(programId, id);
  return {
    ...{ id, programId, name, type: 'CI_CD' as const, trigger: 'MANUAL' as const },
    status: busy ? ('BUSY' as const) : ('IDLE' as const),
    phases: phasesOf(flavour, pipeline),
    _links: links(self, {
      program: paths.program(programId),
      execution: `${self}/execution`,
      'execution/id': `${self}/execution/{executionId}`,
      executions: `${self}/executions`,
      variables: `${self}/variables`,
      cache: `${self}/cache`,
    }),
  };
}

function phasesOf(flavour: Program['type'], pipeline: Pipeline) {
  const steps = stepsOf({ flavour, pipeline, mode: 'NORMAL' });
  return [...new Map(steps.map((step) => [phaseOf(step), step.phase]))].map(([name, type]) => {
    const own = steps.filter((step) => phaseOf(step) === name);
    const environmentType = own.map(({ id }) => environmentOf(id)).find((found) => found !== undefined);
    return {
      ...{ name, type },
      ...(type === 'BUILD' ? { branch: sourceText(pipeline.repository) } : {}),
      ...(environmentType
        ? { environmentType, environmentId: environmentIn(pipeline, environmentType) }
        : {}),
      steps: own.map(({ id, action }) => ({ name: action, options: optionsOf(pipeline, id) })),
    };
  });
}

export function environmentIn(pipeline: Pipeline, type: 'dev' | 'stage' | 'prod'): string | undefined {
  if (pipeline.type === 'production')
    return { dev: undefined, stage: pipeline.stageEnvironment, prod: pipeline.productionEnvironment }[type];
  return pipeline.type === 'deployment' && type === 'dev' ? pipeline.devEnvironment : undefined;
}

function optionsOf(pipeline: Pipeline, step: StepId) {
  if (step === 'managed' && pipeline.type === 'production') return { cse: pipeline.cse };
  if (pipeline.type === 'codeQuality' || !step.endsWith('Deploy')) return {};
  const { dispatcherCacheFlushPaths, dispatcherCacheInvalidationPaths } = pipeline;
  const skips = step !== 'prodDeploy' && { skipDetachingDispatchers: pipeline.skipDetachingDispatchers };
  return { ...skips, dispatcherCacheFlushPaths, dispatcherCacheInvalidationPaths };
}
