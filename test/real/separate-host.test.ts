import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Connection } from '@temporalio/client';
import { buildModule } from '../../src/local/dispatcher/build-module.ts';
import { siteConfiguration, startDispatcher } from '../../src/local/dispatcher/node.ts';
import { Running } from '../../src/local/running.ts';
import { cacheFolder } from '../../src/local/setup/prepare.ts';
import { startWorker } from '../../src/local/worker-process.ts';
import { faultPlatform } from '../support/fault-platform.ts';
import { SeparateHost } from '../support/separate-host.ts';
import { switchedProxy } from '../support/switched-proxy.ts';
import { until } from '../support/until.ts';
import { visited } from '../support/visitors.ts';

const LIMIT_MS = 60_000;
/** Of a pending activity that a worker has taken. */
const STARTED = 2;
/** Longer than it takes to believe that an agent is dead. */
const CUT_OFF_MS = 12_000;
const AGENT_WORK = [
  'backUpConfiguration',
  'replaceConfiguration',
  'testConfiguration',
  'reloadHttpd',
  'flushPaths',
] as const;

const CALL_MS = 3_000;
const listener = (port: number) => `require('net').createServer().listen(${port}, '0.0.0.0')`;
const caller = (port: number) =>
  `require('net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
/** Whether somebody on this machine can connect to it. */
const reaches = (host: string, port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect({ host, port, timeout: CALL_MS });
    const end = (connected: boolean) => () => (socket.destroy(), done(connected));
    socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false));
  });

describe('a dispatcher host that nobody but visitors reaches', function () {
  this.timeout(180_000);
  const fairway = faultPlatform();
  const { nobodyFailed, succeeds } = visited(fairway);
  const host = new SeparateHost();
  const running = new Running();
  let port = 0;

  /** Dispatcher2 and its agent move there; visitors find it where it was. */
  before(async () => {
    const { environment, httpds, agents, client, folder } = fairway;
    const [author, publish] = [environment.author, environment.publish[1]!];
    const dispatcher = environment.dispatchers[1]!;
    await Promise.all([httpds[1]!.stop(), agents[1]!.stop()]);
    port = Number(new URL(dispatcher.url).port);
    running.add(host);
    await host.start();
    const door = async (to: string) => running.add(stoppable(await switchedProxy(to, { host: host.here })));
    const { address } = (client.temporal.connection as Connection).options;
    const temporal = await door(address);
    const pages = await door(new URL(publish.url).host);
    const portOf = (place: { address: string }) => Number(new URL(`tcp://${place.address}`).port);
    await host.guard(port, [portOf(temporal), portOf(pages)]);
    running.add(stoppable(await switchedProxy(`${host.there}:${port}`, { port })));
    const { launcher } = host;
    await running.started(
      startDispatcher({
        ...{ folder: dirname(dispatcher.serverRoot), port, host: host.there, launcher },
        ...{ publishUrl: `http://${pages.address}`, authorUrl: author.url },
        ...{ modulePath: await buildModule(cacheFolder()), nodeId: 'dispatcher2' },
        configuration: siteConfiguration(),
      }),
    );
    await running.started(
      startWorker(
        folder,
        {
          ...{ temporal: { address: temporal.address }, storage: fairway.storageFolder },
          ...{ secrets: join(folder, 'secrets'), workFolder: join(folder, 'work'), shutdownGraceSeconds: 0 },
          ...{ orchestrator: false, agents: [environment.agents[1]!] },
        },
        { name: 'agent-elsewhere', launcher },
      ),
    );
    await fairway.bothInService();
  });
  after(() => running.stop());

  it('is deployed to by its agent, which asks for its work', async () => {
    const other = port === 9_999 ? 9_998 : 9_999;
    const tried = new AbortController();
    const listening = host.run(process.execPath, ['-e', listener(other)], { signal: tried.signal });
    await until(
      'something listens there',
      async () => (await host.run(process.execPath, ['-e', caller(other)])).code === 0,
      LIMIT_MS,
    );
    assert.equal(await reaches(host.there, port), true, 'as visitors do');
    assert.equal(await reaches(host.there, other), false, 'there is no way in but theirs');
    tried.abort();
    await listening.catch(() => undefined);
    await succeeds(await fairway.deploy());
    await nobodyFailed();
  });

  it('is waited for while its cable is pulled in the middle of its leg', async () => {
    const { installs } = fairway.environment.publish[1]!.faults;
    installs.hold();
    const deployment = await fairway.deploy(await fairway.release(4_000_000));
    await installs.waiting(1);
    await host.disconnect();
    const begun = Date.now();
    try {
      installs.release();
      await until(
        'its agent is waited for',
        async () => {
          const { raw } = await deployment.handle.describe();
          return (raw.pendingActivities ?? []).some(
            ({ activityType, attempt, state }) =>
              AGENT_WORK.some((name) => name === activityType?.name) &&
              ((attempt ?? 0) > 1 || Number(state) !== STARTED),
          );
        },
        LIMIT_MS,
      );
      await until('it is believed dead', () => Date.now() - begun > CUT_OFF_MS, 2 * CUT_OFF_MS);
    } finally {
      await host.connect();
    }
    await succeeds(deployment);
    await nobodyFailed();
  });
});

const stoppable = <T extends { close(): Promise<void> }>(thing: T) =>
  Object.assign(thing, { stop: () => thing.close() });
