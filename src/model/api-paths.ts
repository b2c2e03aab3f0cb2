/** Where things are in the HTTP API, relative to its server: Cloud Manager's paths. */
export const paths = {
  programs: () => '/api/programs',
  program: (program: string) => `/api/program/${program}`,
  pipelines: (program: string) => `/api/program/${program}/pipelines`,
  pipeline: (program: string, pipeline: string) => `/api/program/${program}/pipeline/${pipeline}`,
  environments: (program: string) => `/api/program/${program}/environments`,
  environment: (program: string, environment: string) => `/api/program/${program}/environment/${environment}`,
  definition: (program: string) => `/api/program/${program}/definition`,
  emergency: (program: string) => `/api/program/${program}/emergency`,
  webhooks: (program: string) => `/api/program/${program}/webhooks`,
  variables: (program: string, pipeline: string) => `${paths.pipeline(program, pipeline)}/variables`,
  execution: (program: string, pipeline: string, execution: string) =>
    `${paths.pipeline(program, pipeline)}/execution/${execution}`,
  executionState: (execution: string) => `${execution}/state`,
  webhook: (program: string, webhook: string) => `/api/program/${program}/webhook/${webhook}`,
  step: (execution: string, phase: string, step: string) => `${execution}/phase/${phase}/step/${step}`,
};
