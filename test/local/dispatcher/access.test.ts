import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import { bench } from './bench.ts';

const EN = '/content/site/en.html';

describe('who gets what from a dispatcher', () => {
  const { start } = bench();

  it('rejects a flush from a client that is not allowed, and says so in the log', async () => {
    const node = await start({
      'conf.dispatcher.d/cache/site_invalidate_allowed.any': (text) => text.replace('127.0.0.1', '192.0.2.*'),
    });
    await node.visit(EN);
    assert.equal(await node.flush('/content/site/en'), 403);
    await node.visit(EN);
    assert.equal(node.publish.asked.length, 1);
    const log = await readFile(join(node.dispatcher.serverRoot, 'logs', 'error_log'), 'utf8');
    assert.match(log, /Flushing rejected from 127\.0\.0\.1/);
  });

  it('takes no flush from visitors, nor through a load balancer', async () => {
    const node = await start();
    await node.visit(EN);
    const headers = { 'CQ-Action': 'Activate', 'CQ-Handle': '/content/site/en' };
    await node.visit(EN, { headers });
    assert.equal(node.publish.asked.length, 1, 'still from the cache');
    assert.equal(await node.flush('/content/site/en', { 'X-Forwarded-For': '192.0.2.1' }), 403);
    assert.equal((await node.visit(EN, { headers: { host: 'flush' } })).status, 404);
  });

  it('hides what visitors have no business with, by vhost and by filter', async () => {
    const node = await start();
    const hidden = [
      '/system/console/bundles',
      '/crx/de/index.jsp',
      '/bin/querybuilder.json?path=/home',
      '/content/site/en.infinity.json',
      '/content/site/en.4.json',
      '/etc/packages.html',
      '/libs/wcm/core/content/siteadmin.html',
      '/.stat',
      '/content/site/en',
    ];
    for (const path of hidden) assert.equal((await node.visit(path)).status, 404, path);
    assert.deepEqual(node.publish.asked, []);
    assert.equal(
      (await node.visit(EN, { method: 'POST' })).status,
      200,
      'the site allows forms on its pages',
    );
    assert.equal((await node.visit('/content/other/en.html', { method: 'POST' })).status, 404);
    assert.equal((await node.visit('/etc.clientlibs/site/base.css')).status, 200);
  });

  it('filters without the help of the vhost', async () => {
    const node = await start({
      'conf.d/available_vhosts/site_publish.vhost': (text) => text.replace(/^ *RedirectMatch.*$/m, ''),
      'conf.dispatcher.d/filters/site_filters.any': (text) =>
        `${text}\n/0300 { /type "allow" /url "/bin/public*" /method 'GET|HEAD' }`,
    });
    assert.equal((await node.visit('/system/console')).status, 404);
    assert.equal((await node.visit('/bin/public.json')).status, 200);
    assert.equal((await node.visit('/bin/public.json', { method: 'POST' })).status, 404);
  });

  it('sends one X-Frame-Options from the cache and from the publish alike', async () => {
    const node = await start();
    node.publish.headers = { 'x-frame-options': 'ALLOWALL' };
    for (let visit = 0; visit < 2; visit++)
      assert.equal((await node.visit(EN)).headers['x-frame-options'], 'SAMEORIGIN');
  });

  it('passes on the host and the headers listed in the farm, and no others', async () => {
    const node = await start();
    await node.visit(EN, { headers: { host: 'www.example.com', 'x-secret': 'a', 'accept-language': 'de' } });
    assert.equal(node.publish.received.host, 'www.example.com');
    assert.equal(node.publish.received['accept-language'], 'de');
    assert.equal(node.publish.received['x-secret'], undefined);
  });

  it('picks the farm by host name', async () => {
    const node = await start({
      'conf.dispatcher.d/filters/ams_publish_filters.any': (text) =>
        `${text}\n/0900 { /type "allow" /url "/lib*" }`,
      'conf.dispatcher.d/filters/site_filters.any': (text) => `${text}\n/0901 { /type "deny" /url "/lib*" }`,
    });
    assert.equal((await node.visit('/lib.html', { headers: { host: 'publish.local' } })).status, 200);
    assert.equal((await node.visit('/lib.html', { headers: { host: 'www.example.com' } })).status, 404);
  });

  it('logs time in microseconds, request, status, flush action and user agent', async () => {
    const node = await start();
    await node.visit(`${EN}?a=1`, { headers: { 'user-agent': 'a "quoted" one' } });
    await node.flush('/content/site/en');
    // httpd writes the line when the answer is gone already.
    let lines: string[] = [];
    await until('the flush is in the log', async () => {
      lines = (await readFile(node.dispatcher.accessLog, 'utf8')).split('\n');
      return lines.some((text) => text.includes('/dispatcher/invalidate.cache'));
    });
    const line = lines.find((text) => text.includes(EN)) ?? '';
    const [, time = '', request, status, action, agent] =
      /^(\d{16}) \S+ "[^"]*" "([^"]*)" (\d{3}) \d+ \d+ "([^"]*)" "(.*)"$/.exec(line) ?? [];
    assert.ok(Math.abs(Number(time) / 1000 - Date.now()) < 60_000, line);
    assert.deepEqual([request, status, action], [`GET ${EN}?a=1 HTTP/1.1`, '200', '-']);
    assert.equal(agent, 'a \\"quoted\\" one');
    assert.ok(
      lines.some(
        (text) =>
          text.includes('"POST /dispatcher/invalidate.cache HTTP/1.1" 200') && text.includes('"Activate"'),
      ),
    );
  });
});
