import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { Failure, messageOf } from '../systems/failure.ts';
import { jsonLogger } from '../worker/json-log.ts';
import { runWorkers } from '../worker/run-workers.ts';
import { readSettings } from '../worker/settings.ts';
import { buildModule } from './dispatcher/build-module.ts';
import { startEnvironment } from './environment.ts';
import { PROGRAM, programOf } from './platform.ts';
import { rememberedPorts, type Ports } from './ports.ts';
import { createRepository } from './repository.ts';
import { Running } from './running.ts';
import { cacheFolder } from './setup/prepare.ts';

const HELP = `environments.ts --folder FOLDER --host NAME

For docker-compose.yml: the stage and the production environment of the local platform, with the agents of their
dispatchers and a repository with the example site, for workers elsewhere. Until SIGTERM.

  --folder  where they live; fairway.yaml in it is the definition of their program
  --host    the name by which others reach them

FAIRWAY_STORAGE, FAIRWAY_SECRETS and TEMPORAL_... are as for a worker: the environments put their passwords into the secrets folder.`;

/** Those that are to be reached from outside of the containers; the others follow. */
const LOAD_BALANCERS: Readonly<Record<string, number>> = {
  'Stage load balancer': 8011,
  'Production load balancer': 8012,
};
const OTHER_PORTS = 8100;
const HEALTH_PORT = 9090;
const GRACE_SECONDS = 60;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { folder: { type: 'string' }, host: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const { host } = values;
  if (values.help || !values.folder || !host) return console.log(HELP);
  const { FAIRWAY_STORAGE: storage, FAIRWAY_SECRETS: secrets } = process.env;
  if (!storage || !secrets)
    throw new Failure(
      'InvalidInput',
      'set FAIRWAY_STORAGE and FAIRWAY_SECRETS to the folders that the workers use',
    );

  const folder = resolve(values.folder);
  await mkdir(folder, { recursive: true });
  const remembered = rememberedPorts(join(folder, 'ports.json'));
  let next = OTHER_PORTS;
  const ports: Ports = (what) => remembered(what, LOAD_BALANCERS[what] ?? next++);
  const common = { programId: PROGRAM, secretsFolder: secrets, ports, host };
  const modulePath = await buildModule(cacheFolder());
  const { started, stop } = new Running();
  try {
    const environment = (id: string, name: string, type: 'stage' | 'prod', pairs: number) =>
      started(startEnvironment({ ...common, modulePath, id, name, type, pairs, folder: join(folder, type) }));
    const environments = [
      await environment('11', 'Stage', 'stage', 1),
      await environment('12', 'Production', 'prod', 2),
    ];
    const repository = await createRepository(join(folder, 'repository'));
    const program = programOf('aem_managed_services', environments, repository);
    await writeFile(join(folder, 'fairway.yaml'), stringify({ programs: [program] }, { lineWidth: 0 }));

    const logger = jsonLogger((line) => process.stdout.write(line));
    const settings = await readSettings(undefined, {
      ...{ storage, secrets, workFolder: join(folder, 'work'), orchestrator: false },
      ...{ agents: environments.flatMap(({ agents }) => agents), shutdownGraceSeconds: GRACE_SECONDS },
    });
    await runWorkers(settings, {
      logger,
      listen: { host: '127.0.0.1', port: HEALTH_PORT },
      ready: () =>
        logger.info('ready', { environments: environments.map(({ definition }) => definition.name) }),
    });
  } finally {
    await stop();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Failure ? [error.message, ...error.details].join('\n  ') : messageOf(error));
  process.exitCode = 1;
});
