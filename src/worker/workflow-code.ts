import { fileURLToPath } from 'node:url';

const pathOf = (module: string) => fileURLToPath(new URL(`../workflows/${module}`, import.meta.url));

/**
 * The code of the workflows. It is evaluated and frozen once for all executions that a worker has in its cache, not once
 * for each: that would cost 80 KiB of memory and a millisecond every time. So no module of it may keep a state
 * (eslint.config.mjs).
 */
const codeIn = (module: string) => ({ workflowsPath: pathOf(module), preloadModules: [pathOf(module)] });

export const workflowCode = codeIn('index.ts');
/** That of workers with a version. */
export const versionedWorkflowCode = codeIn('versioned.ts');

/** Beside either, where many executions are cached: tests and replays go without it, to see where an error comes from. */
export const withoutStackTraces = pathOf('without-stack-traces.ts');
