import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { Failure, messageOf } from '../failure.ts';
import { containerEngine, type ContainerSettings } from './container.ts';
import type { BuildEngine } from './engine.ts';
import { localEngine } from './local.ts';

export interface EngineSettings {
  /** `auto`: a container where one works, else a local process. */
  readonly engine: 'auto' | 'container' | 'local';
  /** Engines to try, in this order. */
  readonly programs?: readonly string[];
  readonly image?: string;
  readonly globalArgs?: readonly string[];
  readonly runArgs?: readonly string[];
}

const DEFAULT_IMAGE = 'docker.io/library/maven:3.9-eclipse-temurin-17';
/** The image may have to be fetched first. */
const TRIAL_WITHIN_MS = 5 * 60_000;

/**
 * The engine for builds. A container engine counts as working when it ran `true` in the image.
 * @throws Failure `Missing` when a container is demanded and no engine works
 */
export async function chooseEngine(settings: EngineSettings, signal?: AbortSignal): Promise<BuildEngine> {
  if (settings.engine === 'local') return localEngine('as configured');
  const { programs = ['podman', 'docker'], image = DEFAULT_IMAGE, globalArgs, runArgs } = settings;
  const refusals: string[] = [];
  for (const program of programs) {
    const candidate = { program, image, globalArgs, runArgs };
    const refusal = await trial(candidate, signal);
    if (!refusal) return containerEngine(candidate);
    refusals.push(`${program}: ${refusal}`);
  }
  if (settings.engine === 'container')
    throw new Failure(
      'Missing',
      `no container engine can run ${image} here; make one work or let builds run as local processes`,
      { details: refusals },
    );
  return localEngine(`no container engine works here (${refusals.join('; ')})`);
}

/** Why this engine does not work; undefined when it does. */
async function trial(settings: ContainerSettings, signal?: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.timeout(TRIAL_WITHIN_MS);
  let last = '';
  try {
    const code = await containerEngine(settings).run(['true'], {
      ...{ id: `trial-${randomUUID()}`, folder: tmpdir(), writable: [], readable: [], env: {} },
      onLine: (line) => (last = line.trim() || last),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    return code === 0 ? undefined : last || `exit code ${code}`;
  } catch (error) {
    signal?.throwIfAborted();
    return messageOf(error);
  }
}
