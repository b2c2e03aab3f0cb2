import { resolve } from 'node:path';
import { findSystemTools } from './system-tools.ts';
import { findTemporalTool } from './temporal-tools.ts';
import { isTemporalTool, type SetUp, type Tool } from './tool.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');

/**
 * Paths of the programs that are needed, found or installed; each choice is reported in one line. Several processes
 * may do this at once. What is there already is not installed again.
 * @throws Failure that names what is missing and what to do about it
 */
export async function prepare<T extends Tool>(
  needs: readonly T[],
  report: (line: string) => void,
  options: { readonly env?: NodeJS.ProcessEnv; readonly signal?: AbortSignal } = {},
): Promise<Record<T, string>> {
  const env = options.env ?? process.env;
  const setUp: SetUp = { env, cache: cacheFolder(env), report, signal: options.signal };
  const all = [...new Set<Tool>(needs)];
  const paths = new Map<Tool, string>(
    await findSystemTools(
      all.filter((tool) => !isTemporalTool(tool)),
      setUp,
    ),
  );
  for (const tool of all.filter(isTemporalTool)) paths.set(tool, await findTemporalTool(tool, setUp));
  return Object.fromEntries(paths) as Record<T, string>;
}

/** The folder for everything that set-up downloads and the local platform builds: `FAIRWAY_CACHE` or `.cache`. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  resolve(PROJECT, env.FAIRWAY_CACHE || '.cache');
