import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { isS3 } from '../systems/storage/s3/place.ts';
import type { WorkerSettings } from '../worker/settings.ts';
import { listenAddress, type ListenAddress } from './listen-address.ts';
import { Problem } from './problem.ts';
import { action, examples, type Session } from './session.ts';

const roles = ['orchestrator', 'build', 'all'] as const;

interface Options {
  readonly settings?: string;
  readonly listen?: ListenAddress;
}

const settingsOption = () =>
  new Option('--settings <file>', 'its settings, docs/configuration.md').env('FAIRWAY_WORKER');
const listenOption = () =>
  new Option('--listen <address>', 'where /livez, /readyz and /metrics are served: host:port or port')
    .env('FAIRWAY_WORKER_LISTEN')
    .argParser(listenAddress);

export const workerCommand = (): Command =>
  new Command('worker')
    .description('Run workflows and activities, until SIGTERM or Ctrl-C; logs one JSON object a line')
    .addOption(new Option('--role <role>', 'which tasks it takes').choices(roles).default('all'))
    .addOption(settingsOption())
    .addOption(listenOption())
    .addHelpText(
      'after',
      examples(
        'fairway worker --settings worker.json',
        'fairway worker --role build --settings worker.json --listen 127.0.0.1:9090',
      ),
    )
    .action(
      action(async (session, options: Options & { readonly role: (typeof roles)[number] }) => {
        const settings = await read(session, options);
        const orchestrator = options.role !== 'build';
        const build = options.role === 'orchestrator' ? undefined : (settings.build ?? { engine: 'auto' });
        await run(session, { ...settings, orchestrator, build, agents: [] }, options);
      }),
    );

export const agentCommand = (): Command =>
  new Command('agent')
    .description('Change the configuration of the dispatchers on this host, until SIGTERM or Ctrl-C')
    .requiredOption(
      '--node <environment/node>',
      'a node of its settings that it serves; may be repeated',
      (node, nodes: string[] = []) => [...nodes, node],
    )
    .addOption(settingsOption())
    .addOption(listenOption())
    .addHelpText('after', examples('fairway agent --node 12/dispatcher1 --settings agent.json'))
    .action(
      action(async (session, options: Options & { readonly node: readonly string[] }) => {
        const settings = await read(session, options);
        const agents = [...new Set(options.node)].map((name) => agentOf(settings, name));
        await run(session, { ...settings, orchestrator: false, build: undefined, agents }, options);
      }),
    );

/** What the settings file leaves out is as this command line has it. */
async function read(session: Session, { settings }: Options): Promise<WorkerSettings> {
  const { readSettings } = await import('../worker/settings.ts');
  const { storage, secrets, temporal, io } = session;
  const absolute = (path: string | undefined) => path && resolve(io.cwd(), path);
  return readSettings(settings === undefined ? undefined : resolve(io.cwd(), settings), {
    temporal,
    storage: storage !== undefined && isS3(storage) ? storage : absolute(storage),
    secrets: absolute(secrets),
    workFolder: join(tmpdir(), 'fairway'),
  });
}

function agentOf({ agents }: WorkerSettings, name: string): WorkerSettings['agents'][number] {
  const named = ({ node }: (typeof agents)[number]) =>
    [
      `${node.environmentId}/${node.nodeId}`,
      `${node.programId}/${node.environmentId}/${node.nodeId}`,
    ].includes(name);
  const [agent, another] = agents.filter(named);
  const known = agents.map(({ node }) => `${node.programId}/${node.environmentId}/${node.nodeId}`).join(', ');
  if (!agent)
    throw new Problem(
      'usage',
      `the settings have no node ${name}`,
      known ? `they have ${known}` : 'they have no "agents"',
    );
  if (another)
    throw new Problem(
      'usage',
      `the settings have several nodes ${name}`,
      `name it with its program: ${known}`,
    );
  return agent;
}

async function run({ io }: Session, settings: WorkerSettings, { listen }: Options): Promise<void> {
  const [{ runWorkers }, { jsonLogger }] = await Promise.all([
    import('../worker/run-workers.ts'),
    import('../worker/json-log.ts'),
  ]);
  const logger = jsonLogger((line) => io.stdout.write(line));
  await runWorkers(settings, {
    logger,
    listen,
    ready: (health) => logger.info('ready', health === undefined ? {} : { health }),
  });
}
