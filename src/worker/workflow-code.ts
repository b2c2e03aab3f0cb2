import { fileURLToPath } from 'node:url';

const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

/**
 * The code of the workflows. It is evaluated and frozen once for all executions that a worker has in its cache, not once
 * for each: that would cost 80 KiB of memory and a millisecond every time. So no module of it may keep a state
 * (eslint.config.mjs).
 */
export const workflowCode = { workflowsPath, preloadModules: [workflowsPath] };
