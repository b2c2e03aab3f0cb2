import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeRef } from '../model/activities.ts';
import type { ProgramInput } from '../model/schema/definition.ts';
import type { WorkerSettingsInput } from '../worker/settings.ts';
import { startAem, type AemStandIn } from './aem/aem.ts';
import { siteConfiguration, startDispatcher, type LocalDispatcher } from './dispatcher/node.ts';
import { installFirstRelease } from './first-release.ts';
import { startHaproxy, type LocalHaproxy } from './haproxy.ts';
import { freePorts } from './ports.ts';

type EnvironmentInput = ProgramInput['environments'][number];
type AgentInput = NonNullable<WorkerSettingsInput['agents']>[number];

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
  readonly type: 'stage' | 'prod';
  /** Publish instances, each with a dispatcher of its own. */
  readonly pairs: number;
  readonly folder: string;
  /** Where the environment's password is put as a secret. */
  readonly secretsFolder: string;
  /** The dispatcher module. */
  readonly modulePath: string;
}

/** Starts an environment that serves the first release of the example site. */
export async function startEnvironment(options: EnvironmentOptions): Promise<LocalEnvironment> {
  const { programId, id, name, type, pairs, folder } = options;
  const numbers = Array.from({ length: pairs }, (_, index) => index + 1);
  const password = randomBytes(18).toString('base64url');
  const credentials = `AEM_${id}`;
  await mkdir(options.secretsFolder, { recursive: true, mode: 0o700 });
  await writeFile(join(options.secretsFolder, credentials), `admin:${password}`, { mode: 0o600 });

  const running: { stop(): Promise<void> }[] = [];
  const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const thing = await starting;
    running.push(thing);
    return thing;
  };
  const stop = async () => {
    for (const thing of running.splice(0).reverse()) await thing.stop();
  };

  try {
    const instance = async (nodeId: string, runMode: 'author' | 'publish') => {
      const place = join(folder, nodeId);
      await mkdir(place, { recursive: true });
      const aem = await started(startAem({ runMode, password, folder: join(place, 'repository') }));
      await installFirstRelease(aem, place);
      return aem;
    };
    const author = await instance('author', 'author');
    const publish = await Promise.all(numbers.map((n) => instance(`publish${n}`, 'publish')));
    const ports = await freePorts(pairs + 1);
    const dispatchers = await Promise.all(
      publish.map((aem, index) =>
        started(
          startDispatcher({
            folder: join(folder, `dispatcher${index + 1}`),
            port: ports[index] ?? 0,
            publishUrl: aem.url,
            modulePath: options.modulePath,
            nodeId: `dispatcher${index + 1}`,
            configuration: siteConfiguration(),
            authorUrl: author.url,
          }),
        ),
      ),
    );
    const loadBalancer = await started(
      startHaproxy({
        folder: join(folder, 'haproxy'),
        port: ports[pairs] ?? 0,
        servers: dispatchers.map(({ url }, index) => ({ name: `dispatcher${index + 1}`, url })),
        probe,
      }),
    );
    const definition: EnvironmentInput = {
      id,
      name,
      type,
      author: [{ id: 'author', url: author.url, credentials }],
      publish: publish.map(({ url }, index) => ({ id: `publish${index + 1}`, url, credentials })),
      dispatchers: dispatchers.map(({ url }, index) => ({
        id: `dispatcher${index + 1}`,
        url,
        publish: `publish${index + 1}`,
        server: `dispatcher${index + 1}`,
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
function agentOf(node: NodeRef, dispatcher: LocalDispatcher, stateFolder: string): AgentInput {
  const { program } = dispatcher.control;
  const at = ['-d', '{root}', '-f', 'conf/httpd.conf'];
  return {
    node: { ...node },
    host: {
      serverRoot: dispatcher.serverRoot,
      stateFolder,
      configTest: { program, args: ['-t', ...at] },
      graceful: { program, args: ['-k', 'graceful', ...at] },
      environment: { ...dispatcher.environment },
      baseline: { url: dispatcher.url, host: 'health', path: '/' },
      flush: { url: dispatcher.url, host: 'flush' },
    },
  };
}
