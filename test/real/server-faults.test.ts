import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AemStandIn } from '../../src/local/aem/aem.ts';
import { faultPlatform } from '../support/fault-platform.ts';
import { until } from '../support/until.ts';
import { visited } from '../support/visitors.ts';

describe('a rolling deployment while servers fail', function () {
  this.timeout(120_000);
  const fairway = faultPlatform();
  const { nobodyFailed, succeeds } = visited(fairway);
  const installed = (
    instance: { readonly actions: readonly { what: string; path: string }[] },
    version: string,
  ) => instance.actions.filter(({ what, path }) => what === 'install' && path.includes(version)).length;
  /** Is away until its package manager or console has been asked in vain. */
  const restarted = async (instance: AemStandIn) => {
    await instance.crash();
    await inVain(instance.port, /^\/(crx|system)\//);
    await instance.resume();
  };

  it('survives a Temporal server that is killed while a leg is out, and again when it is back', async () => {
    const { publish } = fairway.environment;
    publish[0]!.faults.installs.hold();
    const deployment = await fairway.deploy();
    await publish[0]!.faults.installs.waiting(1);
    await fairway.temporal.kill();
    publish[0]!.faults.installs.release();
    await until('publish1 has installed while nobody could be told', () =>
      publish[0]!.installed().some(({ version }) => version === deployment.release.version),
    );
    await fairway.temporal.start();
    await deployment.reached('detachDispatcher');
    await fairway.temporal.stop();
    await fairway.temporal.start();
    await succeeds(deployment);
    for (const instance of [fairway.environment.author, ...publish])
      assert.equal(installed(instance, deployment.release.version), 1);
    await nobodyFailed();
  });

  it('survives instances of AEM that are restarted in an upload, in an installation and while they settle', async () => {
    const { author, publish } = fairway.environment;
    const [publish1, publish2] = publish;
    author.faults.uploads.hold();
    const deployment = await fairway.deploy();
    await author.faults.uploads.waiting(1);
    publish1!.faults.installs.hold();
    await restarted(author);

    await publish1!.faults.installs.waiting(1);
    await restarted(publish1!);

    const { version } = deployment.release;
    await until(
      'publish2 has installed',
      () => publish2!.installed().some((one) => one.version === version),
      60_000,
    );
    await restarted(publish2!);
    await succeeds(deployment);
    await nobodyFailed();
  });

  it('waits for an httpd that was killed, before it left the load balancer and in its own reload', async () => {
    const { author } = fairway.environment;
    author.faults.installs.hold();
    const deployment = await fairway.deploy();
    await author.faults.installs.waiting(1);
    await fairway.httpds[0]!.kill();
    await until('dispatcher1 is down', async () => (await fairway.service())[0] === 'dispatcher1 down');
    author.faults.installs.release();
    await deployment.failed('reloadHttpd');
    await fairway.httpds[0]!.start();
    await succeeds(deployment);
    await nobodyFailed();
  });

  it('leaves an httpd that dies afterwards to a repair, which waits for it too', async () => {
    await fairway.httpds[0]!.kill();
    await until('dispatcher1 is down', async () => (await fairway.service())[0] === 'dispatcher1 down');
    const repaired = fairway.repair();
    await until('its return is waited for', () => fairway.pending('attachDispatcher'));
    await fairway.httpds[0]!.start();
    const { reconciled, remaining = [] } = await repaired;
    assert.deepEqual(reconciled, ['dispatcher1: returned to service']);
    assert.match(remaining.join('\n'), /dispatcher1: httpd is not running/);
    const { remaining: later = [] } = await fairway.repair();
    assert.deepEqual(later, []);
    await fairway.bothInService();
    await nobodyFailed();
  });
});

/** Returns once somebody has asked at that port for a path; whoever asks is cut off. */
async function inVain(port: number, path: RegExp): Promise<void> {
  const server = createServer();
  await new Promise<void>((asked, failed) => {
    server.on('request', ({ url = '', socket }) => {
      socket.destroy();
      if (path.test(url)) asked();
    });
    server.once('error', failed).listen(port, '127.0.0.1');
  });
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}
