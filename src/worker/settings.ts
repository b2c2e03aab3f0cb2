import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Failure } from '../systems/failure.ts';
import { defaultImmutable, defaultMandatory } from '../systems/httpd/settings.ts';

const path = z.string().startsWith('/', 'must be an absolute path');
const command = z.strictObject({ program: z.string().min(1), args: z.array(z.string()) });

const agent = z.strictObject({
  node: z.strictObject({ programId: z.string(), environmentId: z.string(), nodeId: z.string() }),
  host: z.strictObject({
    serverRoot: path,
    stateFolder: path,
    configTest: command,
    graceful: command,
    environment: z.record(z.string(), z.string()),
    immutable: z.array(z.string()).default([...defaultImmutable]),
    mandatory: z.array(z.string()).default([...defaultMandatory]),
    baseline: z.strictObject({ url: z.url(), host: z.string().optional(), path: z.string() }),
    flush: z.strictObject({ url: z.url(), host: z.string() }),
    pidFile: z.string().optional(),
  }),
});

/** What one worker process is told: a JSON file, named on its command line. */
const settingsSchema = z.strictObject({
  temporal: z.strictObject({ address: z.string(), namespace: z.string().default('default') }),
  /** Whether this process runs the workflows and the activities that belong to no host. */
  orchestrator: z.boolean().default(true),
  /** Whether this process builds, and how; absent = it does not build. */
  build: z
    .strictObject({
      engine: z.enum(['auto', 'container', 'local']).default('auto'),
      /** Image of the build container. */
      image: z.string().optional(),
      /** Container programs to try; `podman`, then `docker` when absent. */
      programs: z.array(z.string()).min(1).optional(),
      /** Arguments of the container program before and after its command `run`. */
      globalArgs: z.array(z.string()).optional(),
      runArgs: z.array(z.string()).optional(),
      /** Maven's local repository that builds share; absent = each build begins with an empty one. */
      mavenRepository: path.optional(),
      /** Maven settings of this worker: mirrors, proxies. */
      mavenSettings: path.optional(),
    })
    .optional(),
  /** Folder of the storage. */
  storage: path,
  /** Folder with one file per secret; secrets may also come as `FAIRWAY_SECRET_<NAME>`. */
  secrets: path.optional(),
  /** For temporary files. */
  workFolder: path,
  /** Whether repositories may be folders of this machine (`file:` URLs). */
  localRepositories: z.boolean().default(false),
  /** How long activities may go on, in seconds, after the process was told to end; then they are cancelled. */
  shutdownGraceSeconds: z.number().int().min(0).max(3600).default(10),
  /** The nodes whose agent this process is. */
  agents: z.array(agent).default([]),
});

export type WorkerSettings = z.infer<typeof settingsSchema>;
export type WorkerSettingsInput = z.input<typeof settingsSchema>;

/** @throws Failure `InvalidInput` with every problem of the file. */
export async function readSettings(file: string): Promise<WorkerSettings> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new Failure('InvalidInput', `cannot read the worker settings ${file}`, { cause });
  }
  const parsed = settingsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Failure('InvalidInput', `the worker settings ${file} are not valid`, {
    details: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  });
}
