import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePorts } from '../../../src/local/ports.ts';
import { flushPath } from '../../../src/systems/httpd/flush.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { testHost } from './host.ts';

describe('Flushing a path', () => {
  const folder = temporaryFolder();
  let server: Server;
  let asked: IncomingMessage[];
  const settingsFor = async (port: number) => ({
    ...(await testHost(folder())).settings,
    flush: { url: `http://127.0.0.1:${port}`, host: 'flush' },
  });
  const portOf = () => (server.address() as AddressInfo).port;

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(request);
      const allowed = !String(request.headers['cq-handle']).startsWith('/denied');
      response.writeHead(allowed ? 200 : 403, { 'content-type': 'text/html' });
      response.end(allowed ? '<H1>OK</H1>' : '<h1>Forbidden</h1>\n<p>not you</p>');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
  });

  it('reports a refusal in the words of the dispatcher', async () => {
    assert.deepEqual(await flushPath(await settingsFor(portOf()), 'invalidate', '/denied'), {
      path: '/denied',
      action: 'invalidate',
      ok: false,
      answer: '403 Forbidden not you',
    });
    assert.equal(asked.length, 1, 'a refusal is not repeated');
  });

  it('tries a dispatcher that does not answer several times, then says so', async () => {
    const [port] = await freePorts(1);
    const result = await flushPath(await settingsFor(port ?? 0), 'flush', '/content');
    assert.equal(result.ok, false);
    assert.match(result.answer, /ECONNREFUSED.*4 attempts/);
  });

  it('gets through when the dispatcher comes back meanwhile', async () => {
    let refused = 0;
    server.prependListener('connection', (socket) => {
      if (refused === 2) return;
      refused += 1;
      socket.destroy();
    });
    assert.equal((await flushPath(await settingsFor(portOf()), 'flush', '/content')).ok, true);
    assert.deepEqual([refused, asked.length], [2, 1]);
  });

  it('sends nothing for a path that could be taken for something else', async () => {
    const settings = await settingsFor(portOf());
    for (const path of ['content', '/a\r\nCQ-Action: Delete', '/a/../b'])
      assert.match((await flushPath(settings, 'flush', path)).answer, /^not sent/);
    assert.equal(asked.length, 0);
  });

  it('asks for a deletion of the resource to flush, for an activation to invalidate', async () => {
    const settings = await settingsFor(portOf());
    assert.equal((await flushPath(settings, 'flush', '/content/größe')).answer, '200 OK');
    assert.equal((await flushPath(settings, 'invalidate', '/content/site')).ok, true);
    const [flush, invalidate] = asked.map(described);
    assert.deepEqual(
      [flush?.method, flush?.url, flush?.host, flush?.['content-length']],
      ['POST', '/dispatcher/invalidate.cache', 'flush', '0'],
    );
    assert.deepEqual([flush?.['cq-action'], flush?.['cq-action-scope']], ['Delete', 'ResourceOnly']);
    assert.equal(Buffer.from(String(flush?.['cq-handle']), 'latin1').toString(), '/content/größe');
    assert.deepEqual([invalidate?.['cq-action'], invalidate?.['cq-action-scope']], ['Activate', undefined]);
    assert.deepEqual(
      [invalidate?.['cq-handle'], invalidate?.['cq-path']],
      ['/content/site', '/content/site'],
    );
  });
});

const described = ({ method, url, headers }: IncomingMessage): Record<string, unknown> => ({
  method,
  url,
  ...headers,
});
