import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeRef } from '../model/activities.ts';
import { nodeMetrics } from '../model/performance.ts';
import type { ProgramInput } from '../model/schema/definition.ts';
import type { WorkerSettingsInput } from '../worker/settings.ts';
import { startAem, type AemStandIn } from './aem/aem.ts';
import { siteConfiguration, startDispatcher, type LocalDispatcher } from './dispatcher/node.ts';
import { installFirstRelease } from './first-release.ts';
import { startHaproxy, type LocalHaproxy } from './haproxy.ts';
import { startNodeExporter } from './node-exporter.ts';
import { LOOPBACK } from './interface.ts';
import { anyPorts, type Ports } from './ports.ts';
import { Running } from './running.ts';

/** One of hosts. */
type EnvironmentInput = ProgramInput['environments'][number] &
  Required<Pick<ProgramInput['environments'][number], 'author' | 'publish' | 'dispatchers'>>;
type AgentInput = NonNullable<WorkerSettingsInput['agents']>[number];

/**
 * The tests of stage in seconds instead of half an hour. One machine carries all nodes, Temporal, the workers and the load
 * at once: how busy it is is reported, and decides nothing.
 */
export const localTests = {
  performance: {
    durationSeconds: 3,
    viewsPerMinute: 600,
    crawl: {},
    assets: { uploadsPerMinute: 120 },
  },
  qualityGates: Object.fromEntries(
    nodeMetrics.map(({ kpi }) => [kpi, { severity: 'informational' as const }]),
  ),
} satisfies Partial<ProgramInput>;

/** What every dispatcher of the example site answers, and for which host. */
export const probe = { path: '/content/site/en.html', host: 'site.example.com' } as const;

/** An environment on this machine: stand-ins of AEM, real httpd dispatchers, a real HAProxy in front of them. */
export interface LocalEnvironment {
  readonly definition: EnvironmentInput;
  readonly agents: readonly AgentInput[];
  readonly author: AemStandIn;
  readonly publish: readonly AemStandIn[];
  readonly dispatchers: readonly LocalDispatcher[];
  readonly loadBalancer: LocalHaproxy;
  stop(): Promise<void>;
}

export interface EnvironmentOptions {
  readonly programId: string;
  readonly id: string;
  readonly name: string;
  readonly type: 'dev' | 'stage' | 'prod';
  /** Publish instances, each with a dispatcher of its own. */
  readonly pairs: number;
  readonly folder: string;
  /** Where the environment's password is put as a secret. */
  readonly secretsFolder: string;
  /** The dispatcher module. */
  readonly modulePath: string;
  /** Where its nodes listen; anywhere when absent. */
  readonly ports?: Ports;
  /** The name by which other machines reach its nodes, on all interfaces; on loopback alone when absent. */
  readonly host?: string;
}

/** Starts an environment; one without an earlier start serves the first release of the example site. */
export async function startEnvironment(options: EnvironmentOptions): Promise<LocalEnvironment> {
  const { programId, id, name, type, pairs, folder, host } = options;
  const numbers = Array.from({ length: pairs }, (_, index) => index + 1);
  const password = randomBytes(18).toString('base64url');
  const credentials = `AEM_${id}`;
  await mkdir(options.secretsFolder, { recursive: true, mode: 0o700 });
  await writeFile(join(options.secretsFolder, credentials), `admin:${password}`, { mode: 0o600 });

  const ports = options.ports ?? anyPorts();
  const portOf = (node: string) => ports(`${name} ${node}`);
  const { started, stop } = new Running();

  try {
    const instance = async (nodeId: string, runMode: 'author' | 'publish') => {
      const place = join(folder, nodeId);
      await mkdir(place, { recursive: true });
      const port = await portOf(nodeId);
      const aem = await started(
        startAem({ port, host, runMode, password, folder: join(place, 'repository') }),
      );
      if (aem.installed().length === 0) await installFirstRelease(aem, place);
      return aem;
    };
    const author = await instance('author', 'author');
    const publish = await Promise.all(numbers.map((n) => instance(`publish${n}`, 'publish')));
    const dispatchers = await Promise.all(
      publish.map(async (aem, index) =>
        started(
          startDispatcher({
            folder: join(folder, `dispatcher${index + 1}`),
            port: await portOf(`dispatcher${index + 1}`),
            host,
            publishUrl: aem.url,
            modulePath: options.modulePath,
            nodeId: `dispatcher${index + 1}`,
            configuration: siteConfiguration(),
            authorUrl: author.url,
          }),
        ),
      ),
    );
    author.agents.push(
      ...publish.map(({ url, credentials: account }) => ({
        ...{ to: 'publish' as const, url, credentials: account },
      })),
    );
    publish.forEach(({ agents }, index) =>
      agents.push({ to: 'dispatcher', url: dispatchers[index]!.url, host: 'flush' }),
    );
    const loadBalancer = await started(
      startHaproxy({
        folder: join(folder, 'haproxy'),
        port: await portOf('load balancer'),
        host,
        servers: dispatchers.map(({ url }, index) => ({ name: `dispatcher${index + 1}`, url })),
        probe,
      }),
    );
    const exporter = await started(startNodeExporter(await portOf('metrics'), host));
    const metrics = { exporter: exporter.url, networkMbits: 10_000 };
    const definition: EnvironmentInput = {
      id,
      name,
      type,
      author: [{ id: 'author', url: author.url, credentials, metrics }],
      publish: publish.map(({ url }, index) => ({ id: `publish${index + 1}`, url, credentials, metrics })),
      dispatchers: dispatchers.map(({ url }, index) => ({
        id: `dispatcher${index + 1}`,
        url,
        publish: `publish${index + 1}`,
        server: `dispatcher${index + 1}`,
        metrics,
      })),
      loadBalancer: {
        type: 'haproxy',
        socket: loadBalancer.socket,
        backend: loadBalancer.backend,
        url: loadBalancer.url,
      },
      probe,
    };
    const agents = dispatchers.map((dispatcher, index) =>
      agentOf(
        { programId, environmentId: id, nodeId: `dispatcher${index + 1}` },
        dispatcher,
        join(folder, `dispatcher${index + 1}`, 'agent'),
      ),
    );
    return { definition, agents, author, publish, dispatchers, loadBalancer, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** How the agent of a local dispatcher works on its httpd. */
export function agentOf(node: NodeRef, dispatcher: LocalDispatcher, stateFolder: string): AgentInput {
  const { program } = dispatcher.control;
  // It may flush because it asks from the host itself.
  const url = `http://${LOOPBACK}:${new URL(dispatcher.url).port}`;
  const at = ['-d', '{root}', '-f', 'conf/httpd.conf'];
  return {
    node: { ...node },
    host: {
      serverRoot: dispatcher.serverRoot,
      stateFolder,
      configTest: { program, args: ['-t', ...at] },
      graceful: { program, args: ['-k', 'graceful', ...at] },
      environment: { ...dispatcher.environment },
      baseline: { url, host: 'health', path: '/' },
      flush: { url, host: 'flush' },
    },
  };
}
