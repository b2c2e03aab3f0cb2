import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startHaproxy, type LocalHaproxy } from '../../src/local/haproxy.ts';
import { freePorts } from '../../src/local/ports.ts';
import type { Failure } from '../../src/systems/failure.ts';
import { haproxy } from '../../src/systems/load-balancer/haproxy.ts';
import { temporaryFolder } from '../support/folder.ts';
import { httpServer, type HttpServer } from '../support/http-server.ts';

describe('local HAProxy', () => {
  const started: (LocalHaproxy | HttpServer)[] = [];
  afterEach(async () => {
    for (const one of started.splice(0)) await ('stop' in one ? one.stop() : one.close());
  });
  const folder = temporaryFolder();
  const keep = <T extends LocalHaproxy | HttpServer>(one: T): T => {
    started.push(one);
    return one;
  };
  const server = (status = 200) =>
    httpServer((request, response) => response.writeHead(status).end(request.url)).then(keep);

  it('says what HAProxy says when it cannot start', async () => {
    const taken = await server();
    await assert.rejects(
      startHaproxy({
        folder: folder(),
        port: Number(new URL(taken.url).port),
        servers: [{ name: 'd1', url: taken.url }],
        probe: { path: '/' },
      }),
      (error: Failure) => error.type === 'Unavailable' && /cannot bind/i.test(error.details.join('\n')),
    );
  });

  it('starts with servers that are up, and servers that are not', async () => {
    const [port = 0] = await freePorts(1);
    const servers = [
      { name: 'good', url: (await server()).url },
      { name: 'bad', url: (await server(503)).url },
    ];
    const started = keep(
      await startHaproxy({ folder: folder(), port, servers, probe: { path: "/it's a $page" } }),
    );
    const states = await haproxy(started).servers();
    assert.deepEqual(
      states.map(({ name, status }) => `${name} ${status}`),
      ['good up', 'bad down'],
    );
    assert.equal(await (await fetch(`${started.url}/here`)).text(), '/here');
  });

  it('remembers what is detached, also on other ports, in a folder with a long name; ends twice', async () => {
    const deep = join(folder(), 'a folder with a long name '.repeat(4).trim());
    await mkdir(deep);
    const [port = 0, other = 0] = await freePorts(2);
    const servers = async () => [
      { name: 'd1', url: (await server()).url },
      { name: 'd2', url: (await server()).url },
    ];
    const first = await startHaproxy({ folder: deep, port, servers: await servers(), probe: { path: '/' } });
    await haproxy(first).maintain('d2');
    await first.stop();
    await first.stop();
    assert.equal(existsSync(first.socket), false);
    await assert.rejects(fetch(first.url));

    const second = keep(
      await startHaproxy({ folder: deep, port: other, servers: await servers(), probe: { path: '/' } }),
    );
    assert.equal(second.socket, first.socket);
    assert.ok(second.socket.length <= 80 && dirname(second.socket) !== deep);
    const states = async () =>
      (await haproxy(second).servers()).map(({ name, status }) => `${name} ${status}`);
    assert.deepEqual(await states(), ['d1 up', 'd2 maintenance']);
    await haproxy(second).ready('d2');
    while ((await states())[1] !== 'd2 up') assert.notEqual((await states())[1], 'd2 maintenance');
  });

  it('ends when its owner is killed', async () => {
    const [port = 0] = await freePorts(1);
    const script = `
      import { startHaproxy } from ${JSON.stringify(join(process.cwd(), 'src/local/haproxy.ts'))};
      const { url } = await startHaproxy({ folder: ${JSON.stringify(folder())}, port: ${port}, servers: [], probe: { path: '/' } });
      console.log((await fetch(url)).status);
      process.kill(process.pid, 'SIGKILL');`;
    const run = promisify(execFile)(process.execPath, ['--import=tsx', '--input-type=module', '-e', script]);
    await assert.rejects(run, { signal: 'SIGKILL', stdout: '503\n' });
    await assert.rejects(fetch(`http://127.0.0.1:${port}`));
  });
});
