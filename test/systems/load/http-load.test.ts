import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { generateLoad } from '../../../src/systems/load/http-load.ts';
import { freePorts } from '../../../src/local/ports.ts';
import { httpServer, type HttpServer } from '../../support/http-server.ts';

describe('HTTP load', () => {
  const servers: HttpServer[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
  const serve = async (listener: Parameters<typeof httpServer>[0]) => {
    const server = await httpServer(listener);
    servers.push(server);
    return server.url;
  };
  const base = { pageSets: [['/']], requestsPerSecond: 100, sticky: 0, userAgent: 'test', durationMs: 500 };

  it('counts requests without an answer as failed, with samples, and goes on', async () => {
    const [port] = await freePorts(1);
    const result = await generateLoad({ ...base, url: `http://127.0.0.1:${port}` });
    assert.equal(result.total, 50);
    assert.equal(result.failed, 50);
    assert.equal(result.unanswered, 50);
    assert.equal(result.failures.length, 20);
    assert.match(result.failures[0]?.failure ?? '', /ECONNREFUSED/);
    assert.equal(result.p95Ms, undefined);
  });

  it('asks once more, as a browser does, where a connection that was answered on before is closed; else it fails', async () => {
    const used = new WeakSet<Socket>();
    let reused = 0;
    const url = await serve(({ socket }, response) => {
      if (used.has(socket) && ++reused % 3 === 0) return void socket.destroy();
      used.add(socket);
      response.end('page');
    });
    const kept = await generateLoad({ ...base, url });
    assert.ok(reused >= 3, 'connections are used again');
    assert.deepEqual([kept.total, kept.failed, kept.failures], [50, 0, []]);

    const silent = await serve(({ socket }) => void socket.destroy());
    const never = await generateLoad({ ...base, url: silent });
    assert.deepEqual([never.total, never.failed, never.unanswered], [50, 50, 50]);
  });

  it('takes bad answers, and answers that the caller finds bad, for failures', async () => {
    let n = 0;
    const url = await serve((_, response) => response.writeHead(n++ % 5 ? 200 : 503).end('old'));
    const byStatus = await generateLoad({ ...base, url });
    assert.deepEqual([byStatus.failed, byStatus.unanswered], [10, 0]);
    assert.equal(byStatus.failures[0]?.failure, 'status 503');
    const judged = await generateLoad({
      ...base,
      url,
      judge: ({ body }) => (body === 'old' ? 'old content' : undefined),
    });
    assert.equal(judged.failed, 50);
  });

  it('keeps its rate however slow the answers are, and measures them', async () => {
    let [now, most] = [0, 0];
    const waiting: ServerResponse[] = [];
    const url = await serve((_, response) => {
      response.on('close', () => now--);
      waiting.push(response);
      most = Math.max(most, ++now);
      if (waiting.length === 50) waiting.forEach((each) => each.end());
    });
    const result = await generateLoad({ ...base, url });
    assert.equal(result.total, 50);
    assert.equal(most, 50, 'none waited for the answer to another');
    assert.ok((result.p50Ms ?? 0) >= 200 && (result.maxMs ?? 0) >= (result.p95Ms ?? Infinity));
    assert.equal(result.perMinute, 6000);
  });

  it('has visitors with cookies and visitors without, asks for every path, sends host and agent', async () => {
    const seen: string[] = [];
    let n = 0;
    const url = await serve((request, response) => {
      seen.push(`${request.url} ${request.headers.cookie ?? 'new'}`);
      assert.equal(request.headers.host, 'www.example.com');
      assert.equal(request.headers['user-agent'], 'test');
      response.setHeader('set-cookie', [`SRV=${++n}; path=/`, 'other=1; HttpOnly']).end('v1');
    });
    const result = await generateLoad({
      ...base,
      url,
      host: 'www.example.com',
      pageSets: [['/a', '/b c']],
      sticky: 0.5,
      label: ({ body }) => body,
    });
    assert.equal(result.failed, 0);
    assert.deepEqual(result.labels, { v1: 50 });
    const returning = seen.filter((line) => /SRV=\d+; other=1$/.test(line));
    assert.equal(returning.length, 15, '25 requests of 10 visitors: the first of each has no cookie yet');
    for (const path of ['/a ', '/b%20c ']) {
      assert.ok(returning.some((line) => line.startsWith(path)));
      assert.ok(seen.some((line) => line.startsWith(path) && line.endsWith('new')));
    }
  });

  it('lets what is in flight finish when it is stopped', async () => {
    const stop = new AbortController();
    const inFlight: ServerResponse[] = [];
    const url = await serve((_, response) => {
      inFlight.push(response);
      if (inFlight.length === 10) stop.abort();
      if (stop.signal.aborted) inFlight.forEach((each) => each.end());
    });
    let results = 0;
    const load = generateLoad({
      ...base,
      url,
      durationMs: undefined,
      signal: stop.signal,
      onResult: () => void results++,
    });
    const result = await load;
    assert.equal(result.failed, 0);
    assert.ok(result.total >= 10);
    assert.deepEqual([results, inFlight.length], [result.total, result.total]);
  });

  it('gives every set of pages the same share, and each page of a set its turn', async () => {
    const seen = new Map<string, number>();
    const url = await serve((request, response) => {
      seen.set(request.url ?? '', (seen.get(request.url ?? '') ?? 0) + 1);
      response.end();
    });
    await generateLoad({ ...base, url, pageSets: [['/popular'], ['/1', '/2', '/3', '/4', '/5']] });
    assert.deepEqual([...seen].sort(), [
      ...['/1', '/2', '/3', '/4', '/5'].map((path) => [path, 5]),
      ['/popular', 25],
    ]);
  });

  it('takes a page that does not come in time for an error with that time, as visitors would', async () => {
    const url = await serve(() => undefined);
    const result = await generateLoad({ ...base, requestsPerSecond: 20, url, timeOutMs: 200 });
    assert.deepEqual([result.total, result.failed, result.unanswered], [10, 10, 10]);
    assert.equal(result.failures[0]?.failure, 'no answer within 0.2 s');
    assert.ok((result.p95Ms ?? 0) >= 200);
  });

  it('measures from when a request was due: what holds up the sending is part of the answer time', async () => {
    const url = await serve((_, response) => response.end());
    let stalled = false;
    const result = await generateLoad({
      ...base,
      url,
      onResult: ({ ms }) => {
        assert.ok(ms >= 0, `answered ${-ms} ms before it was due`);
        if (stalled) return;
        stalled = true;
        const end = performance.now() + 250;
        while (performance.now() < end);
      },
    });
    assert.equal(result.total, 50);
    assert.ok(
      (result.p95Ms ?? 0) >= 150,
      `95th percentile ${result.p95Ms} ms: about 25 requests were due in the stall`,
    );
  });

  it('cuts off what is in flight when it is told to', async () => {
    const cut = new AbortController();
    const url = await serve(() => cut.abort());
    const result = await generateLoad({ ...base, url, durationMs: undefined, cut: cut.signal });
    assert.ok(result.unanswered >= 1 && result.failed === result.total);
  });
});
