/** The part of Adobe's library, which brings no types, that the tests call. */
declare module '@adobe/aio-lib-cloudmanager' {
  interface Step {
    readonly action: string;
    readonly status: string;
    readonly _links: Readonly<Record<string, { readonly href: string } | undefined>>;
  }
  interface Execution {
    readonly id: string;
    readonly status: string;
    readonly user: string;
    readonly pipelineExecutionMode: string;
    readonly _embedded: { readonly stepStates: readonly Step[] };
  }
  interface Pipeline {
    readonly id: string;
    readonly status: string;
    readonly phases: readonly { readonly type: string; readonly branch?: string }[];
  }
  interface Variable {
    readonly name: string;
    readonly value?: string;
    readonly type?: string;
  }
  export interface CloudManager {
    listPrograms(): Promise<readonly { readonly id: string; readonly name: string }[]>;
    listPipelines(program: string, options?: { readonly busy: boolean }): Promise<readonly Pipeline[]>;
    listEnvironments(program: string): Promise<readonly { readonly id: string; readonly type: string }[]>;
    createExecution(program: string, pipeline: string, mode?: string): Promise<Execution>;
    getCurrentExecution(program: string, pipeline: string): Promise<Execution>;
    getExecution(program: string, pipeline: string, execution: string): Promise<Execution>;
    listExecutions(program: string, pipeline: string, limit?: number): Promise<readonly Execution[]>;
    advanceCurrentExecution(program: string, pipeline: string): Promise<object>;
    cancelCurrentExecution(program: string, pipeline: string): Promise<object>;
    getQualityGateResults(
      program: string,
      pipeline: string,
      execution: string,
      action: string,
    ): Promise<{ readonly metrics: readonly { readonly kpi: string; readonly passed: boolean }[] }>;
    getExecutionStepLog(
      program: string,
      pipeline: string,
      execution: string,
      action: string,
      output: NodeJS.WritableStream,
    ): Promise<object>;
    tailExecutionStepLog(
      program: string,
      pipeline: string,
      action: string,
      output: NodeJS.WritableStream,
    ): Promise<{ readonly status: string }>;
    updatePipeline(program: string, pipeline: string, changes: { branch?: string }): Promise<Pipeline>;
    listAvailableLogOptions(program: string, environment: string): Promise<readonly object[]>;
    getEnvironmentVariables(program: string, environment: string): Promise<readonly Variable[]>;
    setEnvironmentVariables(
      program: string,
      environment: string,
      variables: readonly Variable[],
    ): Promise<object>;
    downloadLogs(
      program: string,
      environment: string,
      service: string,
      name: string,
      days: number,
      folder: string,
    ): Promise<readonly object[]>;
    invalidatePipelineCache(program: string, pipeline: string): Promise<object>;
    deletePipeline(program: string, pipeline: string): Promise<object>;
    deleteEnvironment(program: string, environment: string): Promise<object>;
    deleteProgram(program: string): Promise<object>;
    getPipelineVariables(program: string, pipeline: string): Promise<readonly Variable[]>;
    setPipelineVariables(program: string, pipeline: string, variables: readonly Variable[]): Promise<object>;
  }
  export function init(org: string, apiKey: string, token: string, baseUrl: string): Promise<CloudManager>;
}
