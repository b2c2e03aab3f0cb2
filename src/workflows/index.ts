export { environmentDeployment } from './environment-deployment.ts';
export { environmentLease } from './environment-lease.ts';
export { environmentRepair } from './environment-repair.ts';
export { eventDelivery } from './event-delivery.ts';
export { pipelineExecution } from './pipeline-execution.ts';
export { program } from './program.ts';
