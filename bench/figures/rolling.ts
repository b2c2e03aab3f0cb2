import assert from 'node:assert/strict';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { FairwayClient } from '../../src/client/fairway-client.ts';
import { buildDispatcherZip } from '../../src/local/content-package.ts';
import { buildModule } from '../../src/local/dispatcher/build-module.ts';
import { siteConfiguration } from '../../src/local/dispatcher/node.ts';
import { startEnvironment, type LocalEnvironment } from '../../src/local/environment.ts';
import { Running } from '../../src/local/running.ts';
import { cacheFolder, prepare } from '../../src/local/setup/prepare.ts';
import { startTemporal } from '../../src/local/temporal-server.ts';
import { startWorker } from '../../src/local/worker-process.ts';
import type { DispatcherArtifact } from '../../src/model/artifacts.ts';
import type { DeploymentInput, DeploymentProgress } from '../../src/model/deployment.ts';
import { deploymentWorkflowId } from '../../src/model/execution.ts';
import { environmentSchema } from '../../src/model/schema/environment.ts';
import { loadBalancerOf } from '../../src/systems/load-balancer/choose.ts';
import { run } from '../../src/systems/process.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { contentPackage, storedArtifact } from '../../test/support/aem-packages.ts';
import type { Figure, Measured } from '../figure.ts';

const PROGRAM = '1';
const ENVIRONMENT = '12';
const FLUSH = '/content/site/en';
/** How long every stand-in takes for an installation. */
const INSTALL_MS = 800;

/**
 * A deployment to real dispatchers behind a real load balancer, held against what nobody can shorten: the
 * installations, author first and then leg by leg, and the health checks that the load balancer wants to see before a
 * dispatcher is up again. A shell script does the same to the same servers.
 */
export const rolling: Figure = {
  name: 'rolling',
  title: 'a rolling deployment and a shell script, over the critical path',
  runs: 3,
  async run({ smoke, folder, say }) {
    const all: Measured[] = [];
    for (const legs of smoke ? [1] : [2, 4]) {
      const { fairway, script, critical } = await onServers(join(folder, String(legs)), legs);
      const words = legs === 1 ? '1 leg' : `${legs} legs`;
      say(
        `${words}: Fairway ${Math.round(fairway)}, script ${Math.round(script)} of ${Math.round(critical)} ms`,
      );
      all.push(
        {
          what: `${words}: wall time / critical path`,
          value: fairway / critical,
          unit: '',
          goal: { atMost: 1.1 },
        },
        { what: `${words}: the shell script's`, value: script / critical, unit: '' },
      );
    }
    return all;
  },
};

async function onServers(folder: string, legs: number) {
  const running = new Running();
  const { started } = running;
  try {
    const tools = await prepare(['temporal', 'apache2', 'apxs', 'cc', 'haproxy'], () => undefined);
    const secretsFolder = join(folder, 'secrets');
    const storage = join(folder, 'storage');
    const environment = await started(
      startEnvironment({
        ...{ programId: PROGRAM, id: ENVIRONMENT, name: 'Production', type: 'prod', pairs: legs },
        ...{ folder, secretsFolder, modulePath: await buildModule(cacheFolder()) },
      }),
    );
    for (const { faults } of [environment.author, ...environment.publish])
      faults.installs.pass = () => delay(INSTALL_MS);
    const temporal = await started(
      startTemporal({ folder: join(folder, 'temporal'), executable: tools.temporal }),
    );
    await started(
      startWorker(folder, {
        ...{ temporal: { address: temporal.address }, storage, secrets: secretsFolder },
        ...{ workFolder: join(folder, 'work'), shutdownGraceSeconds: 0, agents: [...environment.agents] },
      }),
    );
    const client = await FairwayClient.connect({ address: temporal.address });
    running.add({ stop: () => client.close() });

    const credentials = await readFile(join(secretsFolder, `AEM_${ENVIRONMENT}`), 'utf8');
    const rise = await untilUp(environment);
    const deploy = (version: string) => byFairway(client, environment, { folder, storage, version });
    await deploy('1.0.0'); // workflows are loaded, connections open
    return {
      script: await byScript(environment, { folder, credentials, version: '1.1.0' }),
      fairway: await deploy('1.2.0'),
      critical: (1 + legs) * INSTALL_MS + legs * rise,
    };
  } finally {
    await running.stop();
  }
}

/** How long the load balancer's own checks take from "ready" to up, in milliseconds: the mean of several times. */
async function untilUp({ definition: { loadBalancer, dispatchers } }: LocalEnvironment): Promise<number> {
  const TIMES = 5;
  const balancer = loadBalancerOf(loadBalancer!, dispatchers);
  let sum = 0;
  for (let n = 0; n < TIMES; n += 1) {
    await balancer.maintain('dispatcher1');
    await balancer.ready('dispatcher1');
    const ready = performance.now();
    while ((await balancer.servers()).some(({ status }) => status !== 'up')) await delay(5);
    sum += performance.now() - ready;
  }
  return sum / TIMES;
}

interface Release {
  readonly folder: string;
  readonly version: string;
}

const packageOf = ({ folder, version }: Release) =>
  contentPackage(folder, `Release ${version}`, { version, packageType: 'content' });

async function configurationOf({ folder, version }: Release): Promise<string> {
  const root = siteConfiguration();
  const files: Record<string, string> = {};
  const links: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) links[relative(root, path)] = await readlink(path);
    else if (entry.isFile()) files[relative(root, path)] = await readFile(path, 'utf8');
  }
  files['conf.d/variables/200_site.vars'] += `# Release ${version}\n`;
  const zip = join(folder, `dispatcher-${version}.zip`);
  await buildDispatcherZip(zip, files, links);
  return zip;
}

async function byFairway(
  client: FairwayClient,
  { definition, publish }: LocalEnvironment,
  { storage, ...release }: Release & { readonly storage: string },
): Promise<number> {
  const kept = fileStorage(storage);
  const zip = await readFile(await configurationOf(release));
  const dispatcher: DispatcherArtifact = {
    ...{ kind: 'dispatcher', path: 'dispatcher/target/dispatcher.zip' },
    file: await kept.put(`1/101/${release.version}/dispatcher.zip`, zip),
  };
  const input: DeploymentInput = {
    ...{ programId: PROGRAM, executionId: release.version.replaceAll('.', '') },
    environment: environmentSchema.parse(definition),
    artifacts: [await storedArtifact(kept, await packageOf(release)), dispatcher],
    ...{ order: 'rolling', skipDetachingDispatchers: false, flush: [FLUSH], invalidate: [] },
    log: '1/101/1/logs/prodDeploy.log',
  };
  const begun = performance.now();
  const handle = await client.temporal.workflow.start('environmentDeployment', {
    taskQueue: 'fairway',
    workflowId: deploymentWorkflowId(PROGRAM, ENVIRONMENT),
    args: [input],
  });
  const { legs } = (await handle.result()) as DeploymentProgress;
  const wall = performance.now() - begun;
  assert.ok(legs.every(({ state }) => state === 'NEW'));
  assertInstalled(publish, release);
  return wall;
}

async function byScript(
  environment: LocalEnvironment,
  { credentials, ...release }: Release & { readonly credentials: string },
): Promise<number> {
  const { definition, author, publish, dispatchers, loadBalancer } = environment;
  const legs = dispatchers.map(async ({ url, serverRoot, environment: variables, control }, index) => {
    const file = join(release.folder, `dispatcher${index + 1}.env`);
    const lines = Object.entries({ ...variables, HTTPD: control.program });
    await writeFile(file, lines.map(([name, value]) => `export ${name}='${value}'\n`).join(''));
    return [publish[index]?.url, `dispatcher${index + 1}`, url, serverRoot, file].join(' ');
  });
  const env = {
    ...{ PATH: process.env.PATH, CREDENTIALS: credentials, AUTHOR: author.url, FLUSH },
    ...{ PACKAGE: await packageOf(release), CONFIGURATION: await configurationOf(release) },
    ...{
      LEGS: (await Promise.all(legs)).join('\n'),
      SOCKET: loadBalancer.socket,
      BACKEND: loadBalancer.backend,
    },
    ...{ PROBE_HOST: definition.probe?.host, PROBE_PATH: definition.probe?.path },
  };
  const script = fileURLToPath(new URL('../rolling.sh', import.meta.url));
  const begun = performance.now();
  const { code, stdout, stderr } = await run(script, [], { env });
  const wall = performance.now() - begun;
  assert.equal(code, 0, `the shell script failed: ${stdout}${stderr}`);
  assertInstalled(publish, release);
  return wall;
}

function assertInstalled(publish: LocalEnvironment['publish'], { version }: Release): void {
  for (const instance of publish)
    assert.ok(
      instance.installed().some((one) => one.version === version),
      `${version} is not on ${instance.url}`,
    );
}
