export { environmentDeployment } from './environment-deployment.ts';
export { environmentLease } from './environment-lease.ts';
export { pipelineExecution } from './pipeline-execution.ts';
export { program } from './program.ts';
