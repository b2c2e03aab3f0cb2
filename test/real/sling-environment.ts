import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startAem } from '../../src/local/aem/aem.ts';
import { buildModule } from '../../src/local/dispatcher/build-module.ts';
import { siteConfiguration, startDispatcher } from '../../src/local/dispatcher/node.ts';
import { agentOf, probe } from '../../src/local/environment.ts';
import { installFirstRelease } from '../../src/local/first-release.ts';
import { startHaproxy } from '../../src/local/haproxy.ts';
import { freePorts } from '../../src/local/ports.ts';
import { cacheFolder, prepare } from '../../src/local/setup/prepare.ts';
import { Running } from '../../src/local/running.ts';
import type { Sling } from '../../src/local/sling.ts';
import { startTemporal } from '../../src/local/temporal-server.ts';
import { startWorker } from '../../src/local/worker-process.ts';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import type { Artifact } from '../../src/model/artifacts.ts';
import type { DeploymentInput, DeploymentProgress } from '../../src/model/deployment.ts';
import { deploymentWorkflowId } from '../../src/model/execution.ts';
import { environmentSchema } from '../../src/model/schema/environment.ts';

const PROGRAM = '1';
const ENVIRONMENT = '12';

/** A production environment whose publish instance is Sling, with all that deploys to it. */
export interface SlingEnvironment {
  /** Where visitors come. */
  readonly url: string;
  readonly storage: string;
  /** Starts a deployment; the result is its last progress. */
  deploy(
    executionId: string,
    artifacts: readonly Artifact[],
  ): Promise<{ isRunning(): Promise<boolean>; result(): Promise<DeploymentProgress> }>;
  stop(): Promise<void>;
}

/** The author is a stand-in; httpd, HAProxy, Temporal, worker and agent are what they are everywhere. */
export async function startSlingEnvironment(sling: Sling, folder: string): Promise<SlingEnvironment> {
  const running = new Running();
  const { started, stop } = running;
  const tools = await prepare(['temporal', 'apache2', 'apxs', 'cc', 'haproxy'], () => undefined);
  const [port = 0, visitorsPort = 0] = await freePorts(2);
  const [storage, secrets] = [join(folder, 'storage'), join(folder, 'secrets')];
  try {
    const publish = { url: sling.url, packageManager: 'composum' as const, credentials: sling.credentials };
    await installFirstRelease(publish, folder);
    const author = await started(
      startAem({ runMode: 'author', password: 'secret', folder: join(folder, 'author') }),
    );
    const dispatcher = await started(
      startDispatcher({
        folder: join(folder, 'dispatcher'),
        port,
        publishUrl: sling.url,
        modulePath: await buildModule(cacheFolder()),
        nodeId: 'dispatcher1',
        configuration: siteConfiguration(),
      }),
    );
    const loadBalancer = await started(
      startHaproxy({
        folder: join(folder, 'haproxy'),
        port: visitorsPort,
        servers: [{ name: 'dispatcher1', url: dispatcher.url }],
        probe,
      }),
    );
    const environment = environmentSchema.parse({
      ...{ id: ENVIRONMENT, name: 'Sling', type: 'prod', probe },
      author: [{ id: 'author', url: author.url, credentials: 'AUTHOR' }],
      publish: [{ ...publish, id: 'publish1', credentials: 'SLING' }],
      dispatchers: [{ id: 'dispatcher1', url: dispatcher.url, publish: 'publish1', server: 'dispatcher1' }],
      loadBalancer: {
        type: 'haproxy',
        socket: loadBalancer.socket,
        backend: loadBalancer.backend,
        url: loadBalancer.url,
      },
    });

    await mkdir(secrets);
    await writeFile(join(secrets, 'AUTHOR'), author.credentials);
    await writeFile(join(secrets, 'SLING'), sling.credentials);
    const temporal = await started(
      startTemporal({ folder: join(folder, 'temporal'), executable: tools.temporal }),
    );
    const node = { programId: PROGRAM, environmentId: ENVIRONMENT, nodeId: 'dispatcher1' };
    await started(
      startWorker(folder, {
        temporal: { address: temporal.address },
        storage,
        secrets,
        workFolder: join(folder, 'work'),
        shutdownGraceSeconds: 0,
        agents: [agentOf(node, dispatcher, join(folder, 'agent'))],
      }),
    );
    const client = await FairwayClient.connect({ address: temporal.address });
    running.add({ stop: () => client.close() });
    return {
      url: loadBalancer.url,
      storage,
      async deploy(executionId, artifacts) {
        const input: DeploymentInput = {
          ...{ programId: PROGRAM, executionId, environment, artifacts },
          ...{ order: 'rolling', skipDetachingDispatchers: false },
          ...{ flush: ['/content/site/en'], invalidate: ['/content/site'] },
          log: logOf(executionId),
        };
        const handle = await client.temporal.workflow.start('environmentDeployment', {
          taskQueue: 'fairway',
          workflowId: deploymentWorkflowId(PROGRAM, ENVIRONMENT),
          args: [input],
        });
        return {
          isRunning: async () => (await handle.describe()).status.name === 'RUNNING',
          result: () => handle.result() as Promise<DeploymentProgress>,
        };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export const logOf = (executionId: string): string => `${PROGRAM}/101/${executionId}/logs/prodDeploy.log`;
