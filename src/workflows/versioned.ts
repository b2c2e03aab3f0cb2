import { setWorkflowOptions } from '@temporalio/workflow';
import { environmentLease } from './environment-lease.ts';
import { program } from './program.ts';

/*
 * The workflows of workers that have versions: what has an end keeps the version it began with, which is what such
 * workers do unless told otherwise; what may live for ever moves to the current one. The server takes no word of versions
 * from workers without any, so these have the workflows alone (index.ts).
 */
for (const workflow of [program, environmentLease])
  setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, workflow as () => Promise<void>);

export * from './index.ts';
