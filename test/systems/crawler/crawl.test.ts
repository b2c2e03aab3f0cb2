import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { crawl, type CrawlOptions } from '../../../src/systems/crawler/crawl.ts';
import { linksOf } from '../../../src/systems/crawler/links.ts';
import { httpServer, type HttpServer } from '../../support/http-server.ts';

const limits = { maxPages: 100, maxDepth: 20, durationMs: 60_000, bytesPerPage: 100_000, bytes: 10_000_000 };

describe('the crawler', () => {
  const servers: HttpServer[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  type Answer = string | ((response: ServerResponse, request: IncomingMessage) => void);
  /** A site of pages by path; `asked` lists what was asked for. */
  const site = async (pages: Readonly<Record<string, Answer>>) => {
    const asked: string[] = [];
    const server = await httpServer((request, response) => {
      asked.push(request.url ?? '');
      const page = pages[request.url ?? ''];
      if (typeof page === 'function') page(response, request);
      else if (page === undefined) response.writeHead(404).end();
      else response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
    });
    servers.push(server);
    return { url: server.url, asked };
  };
  const crawlOf = (url: string, options: Partial<CrawlOptions> = {}) =>
    crawl({ url, seeds: ['/'], ...options, limits: { ...limits, ...options.limits } });

  it('never leaves the site, neither by links nor by redirects', async () => {
    const elsewhere = await site({ '/': 'gotcha', '/x': 'gotcha' });
    const here = await site({
      '/': `<a href="${elsewhere.url}/x">a</a><a href="//evil.example/">b</a><a href="mailto:a@b.c">c</a>
        <a href="javascript:alert(1)">d</a><a href="/out">e</a><a href="ftp://x/">f</a>
        <a href="http://user@evil.example/">g</a><base href="${elsewhere.url}/"><a href="x">h</a>`,
      '/out': (response) => response.writeHead(302, { location: `${elsewhere.url}/x` }).end(),
    });
    const found = await crawlOf(here.url);
    assert.deepEqual(found.pages, ['/']);
    assert.ok(found.elsewhere >= 6, `${found.elsewhere}`);
    assert.deepEqual(elsewhere.asked, []);
  });

  it('finds pages breadth first, once each, also through redirects within the site and links with its name', async () => {
    const { url, asked } = await site({
      '/': '<a href="/b.html?page=2#x">b</a><a href="c/">c</a><a href="/moved">m</a><a href="/doc.pdf">d</a>',
      '/b.html': '<a href="http://www.example.com/deep">deep</a><a href="/">home</a><a href="/gone">gone</a>',
      '/c/': '<area href="../b.html">',
      '/deep': 'no links',
      '/moved': (response) => response.writeHead(301, { location: '/new' }).end(),
      '/new': 'new',
      '/text': (response) => response.setHeader('content-type', 'text/plain').end('<a href="/deep2">'),
    });
    const found = await crawlOf(url, { host: 'www.example.com' });
    assert.deepEqual(found.pages, ['/', '/b.html', '/c/', '/deep', '/new']);
    assert.deepEqual(found.broken, ['/gone answered 404']);
    assert.equal(found.stoppedBy, undefined);
    assert.equal(new Set(asked).size, asked.length);
    assert.ok(!asked.includes('/doc.pdf'));
  });

  it('tolerates hostile HTML', async () => {
    const { hrefs, base } = linksOf(
      `<a href=/one <a href='/two'><a href='/two'><A HREF="/three" ${'x '.repeat(10_000)}><!--<a href="/no">--><script>"<a href='/no2'>"</script>
       ${'<div>'.repeat(50_000)}<a href="/four&amp;five"></p></a></a><base href="/x/"><base href="/y/"><a href="/end`,
    );
    assert.ok(
      ['/two', '/three', '/four&five'].every((href) => hrefs.includes(href)),
      hrefs.join(' '),
    );
    assert.ok(!hrefs.some((href) => href.startsWith('/no')));
    assert.equal(base, '/x/');
    assert.equal(
      linksOf(Array.from({ length: 9_000 }, (_, n) => `<a href="/${n}">`).join('')).hrefs.length,
      5_000,
    );
    assert.deepEqual(linksOf('\0\x01<<<>>&#xffffffff;').hrefs, []);
  });

  it('keeps to its limits of pages, depth, bytes and time', async () => {
    const endless = await httpServer((request, response) => {
      const n = Number(/\d+/.exec(request.url ?? '')?.[0] ?? 0);
      response.setHeader('content-type', 'text/html').end(`${'x'.repeat(1000)}<a href="/p${n + 1}">`);
    });
    servers.push(endless);
    const to = (change: Partial<typeof limits>) => crawlOf(endless.url, { limits: { ...limits, ...change } });
    const byPages = await to({ maxPages: 3 });
    assert.deepEqual([byPages.pages.length, byPages.stoppedBy], [3, 'pages']);
    assert.deepEqual((await to({ maxDepth: 2 })).pages, ['/', '/p1', '/p2']);
    assert.equal((await to({ bytes: 5_000 })).stoppedBy, 'bytes');
    // The link is behind what is read of the page.
    assert.deepEqual((await to({ bytesPerPage: 500 })).pages, ['/']);
    const mute = await site({ '/': () => undefined });
    const late = await crawlOf(mute.url, { limits: { ...limits, durationMs: 50 } });
    assert.deepEqual([late.pages, late.stoppedBy], [[], 'time']);
  });

  it('ends at once when it is cancelled, and survives a site that is not there', async () => {
    const cancel = new AbortController();
    const mute = await site({ '/': () => cancel.abort(new Error('cancelled')) });
    await assert.rejects(crawlOf(mute.url, { signal: cancel.signal }), /cancelled/);
    const found = await crawlOf('http://127.0.0.1:1');
    assert.deepEqual([found.pages, found.broken], [[], ['/ no answer']]);
  });

  it('shows credentials to the site', async () => {
    const { url } = await site({
      '/': (response, { headers }) =>
        response
          .writeHead(headers.authorization === 'Basic YTpi' ? 200 : 401, { 'content-type': 'text/html' })
          .end(),
    });
    assert.deepEqual((await crawlOf(url, { credentials: 'a:b' })).pages, ['/']);
    assert.deepEqual((await crawlOf(url)).broken, ['/ answered 401']);
  });
});
