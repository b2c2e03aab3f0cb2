import { fileURLToPath } from 'node:url';

/**
 * The code of the workflows. It is evaluated and frozen once for all executions that a worker has in its cache, not once
 * for each: that would cost 80 KiB of memory and a millisecond every time. So no module of it may keep a state
 * (eslint.config.mjs).
 */
const codeIn = (module: string) => {
  const workflowsPath = fileURLToPath(new URL(`../workflows/${module}`, import.meta.url));
  return { workflowsPath, preloadModules: [workflowsPath] };
};

export const workflowCode = codeIn('index.ts');
/** That of workers with a version. */
export const versionedWorkflowCode = codeIn('versioned.ts');
