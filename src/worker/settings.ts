import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Failure, messageOf } from '../systems/failure.ts';
import { defaultImmutable, defaultMandatory } from '../systems/httpd/settings.ts';
import { fairwayVersion } from '../systems/version.ts';
import { isS3, s3Place } from '../systems/storage/s3/place.ts';

const path = z.string().startsWith('/', 'must be an absolute path');
const storage = z.string().superRefine((place, context) => {
  try {
    if (isS3(place)) s3Place(place);
    else if (!place.startsWith('/')) throw new Error('must be an absolute path, or s3://BUCKET/PREFIX');
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
});
const command = z.strictObject({ program: z.string().min(1), args: z.array(z.string()) });

/** The server names a version by deployment and build id with a dot between: the first has none. */
const deploymentName = z.string().regex(/^[\w-]{1,100}$/, 'must be letters, digits, _ and -');
const buildId = z.string().regex(/^[\w.+-]{1,100}$/, 'must be letters, digits and . _ + -');

const images = z.strictObject({
  /** Path or name of buildah, and arguments before its command. */
  program: z.string().min(1).optional(),
  globalArgs: z.array(z.string()).optional(),
  /** What the images are built on, a reference each; `scratch` = files only, which cannot run. */
  base: z.strictObject({ aem: z.string().min(1), dispatcher: z.string().min(1) }),
  /** Where clusters find the images, `registry.example.com/site`. */
  repository: z.string().min(1),
  /** Brings them there with skopeo; absent = somebody else does. */
  push: z
    .strictObject({
      /** Name of the secret with `user:password` of the registry; absent = it is open to this worker. */
      credentials: z.string().min(1).optional(),
      /** Whether the registry has no TLS that can be verified. */
      insecure: z.boolean().optional(),
    })
    .optional(),
  /** How the images of UI tests are built and run. */
  uiTests: z
    .strictObject({
      /** Path or name of podman or docker, and its arguments before and after its command `create`. */
      program: z.string().min(1).optional(),
      globalArgs: z.array(z.string()).optional(),
      runArgs: z.array(z.string()).optional(),
      /** Arguments of buildah's command `build`: `--isolation`, `--network`. */
      buildArgs: z.array(z.string()).optional(),
      /** The Selenium server of tests that use one, and where it takes uploads. */
      selenium: z
        .strictObject({
          url: z.url(),
          browser: z.string().min(1).default('chrome'),
          uploadUrl: z.url().optional(),
        })
        .optional(),
    })
    .prefault({}),
  /** The httpd that tests dispatcher configurations, with the files that no package may change. */
  httpd: z.strictObject({
    serverRoot: path,
    configTest: command,
    environment: z.record(z.string(), z.string()),
    immutable: z.array(z.string()).default([...defaultImmutable]),
    mandatory: z.array(z.string()).default([...defaultMandatory]),
  }),
});

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
  /** Which Temporal Service; what is absent is found as Temporal's own command finds it. */
  temporal: z
    .strictObject({
      address: z.string().optional(),
      namespace: z.string().optional(),
      profile: z.string().optional(),
    })
    .prefault({}),
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
      /** Where the analysers of code scanning are kept; absent = in the work folder. */
      analysers: path.optional(),
      /** Maven settings of this worker: mirrors, proxies. */
      mavenSettings: path.optional(),
      /** How many minutes a build may say nothing before it counts as stuck; 15 when absent. */
      silenceMinutes: z.number().positive().max(180).optional(),
    })
    .optional(),
  /** Folder of the storage, or `s3://BUCKET/PREFIX?...`. */
  storage,
  /** How this process makes the images of Cloud Service; absent = it does not. It is one that builds. */
  images: images.optional(),
  /** Folder with one file per secret; secrets may also come as `FAIRWAY_SECRET_<NAME>`. */
  secrets: path.optional(),
  /** For temporary files. */
  workFolder: path,
  /** Whether repositories may be folders of this machine (`file:` URLs). */
  localRepositories: z.boolean().default(false),
  /** How webhooks are told what executions do. */
  events: z
    .strictObject({
      /** Where receivers reach the HTTP API: what events link to. */
      apiUrl: z.url().default('http://127.0.0.1:8090'),
      /** Networks that webhooks may be in, besides public addresses: `10.1.0.0/16`. */
      networks: z.array(z.union([z.cidrv4(), z.cidrv6()])).default([]),
    })
    .prefault({}),
  /**
   * Whether workers of several versions run beside each other, and which one this is (Temporal's worker versioning); absent =
   * executions go on with any worker. Agents have no versions: there is one of each node.
   */
  versioning: z
    .strictObject({
      deploymentName: deploymentName.default('fairway'),
      /** That of this package when absent. */
      buildId: buildId.default(fairwayVersion),
    })
    .optional(),
  /** How long activities may go on, in seconds, after the process was told to end; then they are cancelled. */
  shutdownGraceSeconds: z.number().int().min(0).max(3600).default(10),
  /** The nodes whose agent this process is. */
  agents: z.array(agent).default([]),
});

export type WorkerSettings = z.infer<typeof settingsSchema>;
export type WorkerSettingsInput = z.input<typeof settingsSchema>;

/**
 * The settings of a worker, from a file; without one `defaults` are all there is, and they count where it says nothing.
 * @throws Failure `InvalidInput` with every problem
 */
export async function readSettings(
  file: string | undefined,
  defaults: Partial<WorkerSettingsInput> = {},
): Promise<WorkerSettings> {
  const where = file === undefined ? 'the settings of the worker' : `the worker settings ${file}`;
  let json: unknown = {};
  try {
    if (file !== undefined) json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new Failure('InvalidInput', `cannot read ${where}`, { cause });
  }
  const known = Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined));
  const given =
    typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...known, ...json } : json;
  const parsed = settingsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Failure('InvalidInput', `${where} are not valid`, {
    details: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  });
}
