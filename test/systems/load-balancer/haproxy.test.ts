import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Failure } from '../../../src/systems/failure.ts';
import { generateLoad } from '../../../src/systems/load/http-load.ts';
import { attach } from '../../../src/systems/load-balancer/attach.ts';
import { detach } from '../../../src/systems/load-balancer/detach.ts';
import { haproxy } from '../../../src/systems/load-balancer/haproxy.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { until } from '../../support/until.ts';
import { ReloadingHaproxy } from '../../support/reloading-haproxy.ts';
import { startSite, type Site } from './site.ts';

const failure = (type: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.type, type);
  assert.match(error.message, words);
  return true;
};

describe('load balancer', () => {
  let site: Site;
  afterEach(() => site.stop());
  const folder = temporaryFolder();
  beforeEach(async () => {
    site = await startSite(folder());
  });

  const statusOf = async (name: string) =>
    (await site.loadBalancer.servers()).find((server) => server.name === name)?.status;

  it('names backend, server and the servers that there are when one is unknown', async () => {
    const expected = failure('Missing', /backend dispatchers has no server d9, it has d1, d2/);
    await assert.rejects(detach(site.loadBalancer, 'd9'), expected);
    await assert.rejects(attach(site.loadBalancer, 'd9'), expected);
    await assert.rejects(site.loadBalancer.maintain('d9;disable server dispatchers/d1'), /has no server/);
    assert.equal(await statusOf('d1'), 'up');
  });

  it('names an unknown backend', async () => {
    const other = haproxy({ socket: site.balancer.socket, backend: 'typo' });
    await assert.rejects(other.servers(), failure('Missing', /no backend typo/));
  });

  it('reports a socket that is not there, and one that nobody answers on, as unavailable', async () => {
    const socket = join(folder(), 'no.sock');
    await assert.rejects(
      detach(haproxy({ socket, backend: 'b' }), 'd1'),
      failure('Unavailable', /no\.sock.*ENOENT.*level admin/s),
    );
    const mute: Server = createServer((connection) =>
      connection
        .resume()
        .on('error', () => undefined)
        .destroy(),
    );
    await new Promise<void>((resolve) => mute.listen(socket, resolve));
    try {
      await assert.rejects(haproxy({ socket, backend: 'b' }).servers(), failure('Unavailable', /no\.sock/));
    } finally {
      mute.close();
    }
  });

  it('serves every request while dispatchers go out and come back in turn', async () => {
    const stop = new AbortController();
    const load = generateLoad({
      url: site.balancer.url,
      pageSets: [['/', '/page?ms=30']],
      requestsPerSecond: 200,
      sticky: 0.5,
      userAgent: 'visitor',
      signal: stop.signal,
      label: ({ body }) => body,
    });
    try {
      const [d1, d2] = site.backends;
      await until('both serve', () => d1.visits > 20 && d2.visits > 20);
      for (const backend of [d1, d2, d1]) {
        const lines: string[] = [];
        await detach(site.loadBalancer, backend.name, { onProgress: (line) => lines.push(line) });
        assert.match(lines.at(-1) ?? '', /in maintenance, 1 of 2 servers take visitors/);
        const before = backend.visits;
        const other = backend === d1 ? d2 : d1;
        const others = other.visits;
        await until('the other one serves', () => other.visits > others + 40);
        assert.equal(backend.visits, before, `${backend.name} had visitors while detached`);
        await attach(site.loadBalancer, backend.name);
        await until('it serves again', () => backend.visits > before + 20);
      }
    } finally {
      stop.abort();
    }
    const result = await load;
    assert.deepEqual(result.failures, []);
    assert.equal(result.failed, 0);
    assert.ok((result.labels['from d1'] ?? 0) > 100 && (result.labels['from d2'] ?? 0) > 100);
  });

  it('lets a long request finish, and waits for it', async () => {
    const [d1, d2] = site.backends;
    await detach(site.loadBalancer, 'd2');
    const long = fetch(`${site.balancer.url}/slow?ms=1200`);
    await until('it arrived', () => d1.visits === 1);
    await attach(site.loadBalancer, 'd2');
    const lines: string[] = [];
    await detach(site.loadBalancer, 'd1', { onProgress: (line) => lines.push(line) });
    assert.equal(await (await long).text(), 'from d1');
    assert.equal(d2.visits, 0);
    assert.match(lines.join('\n'), /d1 drains\nd1 is in maintenance, 1 of 2 servers take visitors/);
  });

  it('goes on at the limit, says so, and does not cut what is in flight', async () => {
    await detach(site.loadBalancer, 'd2');
    const long = fetch(`${site.balancer.url}/slow?ms=2000`);
    await until('it arrived', () => site.backends[0].visits === 1);
    const lines: string[] = [];
    await detach(site.loadBalancer, 'd1', {
      sessionLimitMs: 200,
      onProgress: (line) => lines.push(line),
    });
    assert.match(lines.join('\n'), /still answers 1 requests after 0.2 s/);
    assert.match(lines.at(-1) ?? '', /0 of 2 servers take visitors/);
    assert.equal((await long).status, 200);
  });

  it('never lets a detached dispatcher have visitors when it is detached again', async () => {
    await detach(site.loadBalancer, 'd1');
    const drained: string[] = [];
    await detach({ ...site.loadBalancer, drain: async (server) => void drained.push(server) }, 'd1');
    assert.deepEqual(drained, []);
    assert.equal(await statusOf('d1'), 'maintenance');
  });

  it('attaches what is attached already without taking it out of service', async () => {
    const seen = new Set<string | undefined>();
    const before = site.backends[0].visits;
    for (let n = 0; n < 5; n++) {
      await attach(site.loadBalancer, 'd1');
      seen.add(await statusOf('d1'));
    }
    assert.deepEqual([...seen], ['up']);
    assert.equal(site.backends[0].visits, before);
  });

  it('does not take a command that was accepted for a dispatcher that serves', async () => {
    await detach(site.loadBalancer, 'd1');
    site.backends[0].healthy = false;
    await assert.rejects(
      attach(site.loadBalancer, 'd1', { limitMs: 1000 }),
      failure('NotReady', /does not find d1 up within 1 s: DOWN.*L7STS/),
    );
    site.backends[0].healthy = true;
    await until('it comes back by itself', async () => (await statusOf('d1')) === 'up');
  });

  it('sends no visitor before the new health checks are good, and none fails right after', async () => {
    const [d1, d2] = site.backends;
    await detach(site.loadBalancer, 'd1');
    d1.healthy = false;
    const attached = attach(site.loadBalancer, 'd1');
    await until('checks fail', async () => (await statusOf('d1')) === 'down');
    for (let n = 0; n < 40; n++) assert.equal((await fetch(site.balancer.url)).status, 200);
    assert.equal(d1.visits, 0);
    d1.healthy = true;
    await attached;
    await detach(site.loadBalancer, 'd2');
    const before = d2.visits;
    for (let n = 0; n < 20; n++) assert.equal((await fetch(site.balancer.url)).status, 200);
    assert.deepEqual([d1.visits, d2.visits - before], [20, 0]);
  });

  it('stops waiting when it is cancelled, and attaching afterwards makes good', async () => {
    const long = fetch(`${site.balancer.url}/slow?ms=700`);
    await until('it arrived', () => site.backends.some(({ visits }) => visits > 0));
    const name = site.backends.find(({ visits }) => visits > 0)?.name ?? '';
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    const detaching = detach(site.loadBalancer, name, {
      signal: cancel.signal,
      onProgress: () => cancel.abort(reason),
    });
    await assert.rejects(detaching, reason);
    await attach(site.loadBalancer, name);
    assert.equal(await statusOf(name), 'up');
    await long;
  });

  describe('while it waits', () => {
    /** Goes on once d1 is in maintenance and a request in flight is waited for. */
    const detaching = async () => {
      await detach(site.loadBalancer, 'd2');
      const long = fetch(`${site.balancer.url}/slow?ms=1500`);
      await until('it arrived', () => site.backends[0].visits === 1);
      const detached = detach(site.loadBalancer, 'd1');
      detached.catch(() => undefined); // until it is looked at
      await until('d1 is in maintenance', async () => (await statusOf('d1')) === 'maintenance');
      return { detached, long };
    };
    /** Goes on once d1 is enabled and its health checks are waited for. */
    const attaching = async () => {
      await detach(site.loadBalancer, 'd1');
      site.backends[0].healthy = false;
      const attached = attach(site.loadBalancer, 'd1');
      attached.catch(() => undefined);
      await until('checks fail', async () => (await statusOf('d1')) === 'down');
      return { attached };
    };

    it('takes out again what is in service after a reload', async () => {
      const balancer = new ReloadingHaproxy(site.balancer, folder());
      await balancer.takeOver();
      try {
        const { detached, long } = await detaching();
        await balancer.reload('lost');
        await detached;
        assert.equal(await statusOf('d1'), 'maintenance');
        assert.equal((await long).status, 200);
      } finally {
        await balancer.stop();
      }
    });

    it('is not misled by the process before, which still takes some of its questions', async () => {
      // Connection by connection: 1 is that before the reload; what it is told the other one does not know.
      const answering = [1, 1, 1, 1, 1, 1, 2, 1, 1, 2, 2, 2];
      const status: Record<number, string> = { 1: 'UP', 2: 'UP' };
      const told: number[] = [];
      const socket = join(folder(), 'two.sock');
      const server = createServer((connection) => {
        const process = answering.shift() ?? 2;
        connection.setEncoding('utf8').once('data', (text: string) => {
          if (text.includes('state maint')) told.push(process);
          if (text.includes('state maint')) status[process] = 'MAINT';
          const stat = `# pxname,svname,status,scur,qcur,check_status\nb,d1,${status[process]},0,0,L7OK\n\n`;
          const info = `Name: HAProxy\nPid: ${process}\nStart_time_sec: 1\n\n`;
          connection.end((text.includes('show stat') ? stat : '\n') + info);
        });
      });
      await new Promise<void>((listening) => server.listen(socket, listening));
      await detach(haproxy({ socket, backend: 'b' }), 'd1');
      server.close();
      assert.deepEqual(told, [1, 1, 2]);
      assert.equal(status[2], 'MAINT');
    });

    it('lets in again what is out after a reload', async () => {
      const balancer = new ReloadingHaproxy(site.balancer, folder());
      await balancer.takeOver();
      try {
        await site.loadBalancer.maintain('d1');
        await balancer.keepStates();
        const { attached } = await attaching();
        await balancer.reload('earlier');
        site.backends[0].healthy = true;
        await attached;
        assert.equal(await statusOf('d1'), 'up');
      } finally {
        await balancer.stop();
      }
    });

    it('leaves in service what a person has put there', async () => {
      const { detached, long } = await detaching();
      await site.loadBalancer.ready('d1');
      await assert.rejects(detached, failure('Conflict', /somebody else let visitors to d1/));
      assert.notEqual(await statusOf('d1'), 'maintenance');
      assert.equal((await long).status, 200);
    });

    it('leaves out of service what a person has taken out', async () => {
      const { attached } = await attaching();
      await site.loadBalancer.maintain('d1');
      site.backends[0].healthy = true;
      await assert.rejects(attached, failure('Conflict', /somebody else took d1 out.*MAINT/s));
      assert.equal(await statusOf('d1'), 'maintenance');
    });
  });

  it('asks another dispatcher where one dies with a page in hand; what changes something is not sent twice', async () => {
    const [d1, d2] = site.backends;
    await detach(site.loadBalancer, 'd2');
    const page = fetch(`${site.balancer.url}/slow?ms=1500`);
    const form = fetch(`${site.balancer.url}/slow?ms=1500`, { method: 'POST' });
    await until('both arrived', () => d1.visits === 2);
    await attach(site.loadBalancer, 'd2');
    await d1.close();
    assert.equal((await page).status, 200);
    assert.equal((await form).status, 502);
    assert.equal(d2.visits, 1);
  });
});
