import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, readFile, readlink, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { siteConfiguration, startDispatcher } from '../../../src/local/dispatcher/node.ts';
import { freePorts } from '../../../src/local/ports.ts';
import { run } from '../../../src/systems/process.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { until } from '../../support/until.ts';
import { bench, testModule, type Bench } from './bench.ts';

const EN = '/content/site/en.html';
/** What holds on to life for so long after it was told to end is killed (src/local/child.ts). */
const KILLED_AFTER_MS = 15_000;
const FARM = 'conf.dispatcher.d/available_farms/300_site_farm.any';

const httpd = ({ dispatcher }: Pick<Bench, 'dispatcher'>, ...args: string[]) =>
  run(dispatcher.control.program, [...dispatcher.control.args, ...args], {
    env: { PATH: process.env.PATH, ...dispatcher.environment },
  });

const listening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });

const countIn = async (file: string, text: string) => (await readFile(file, 'utf8')).split(text).length - 1;

describe('a local dispatcher', () => {
  const { start } = bench();

  it('fails the config test for a broken farm, naming its file and line', async () => {
    const node = await start();
    const farm = join(node.dispatcher.serverRoot, FARM);
    const good = await readFile(farm, 'utf8');
    const lines = good.split('\n').length;
    const broken: [string, RegExp][] = [
      [
        '/x {',
        new RegExp(`300_site_farm\\.any:${lines}: the file ends before the closing brace .* line ${lines}`),
      ],
      ['}', new RegExp(`300_site_farm\\.any:${lines}: closing brace without`)],
      [
        '/x { /renders { /0 { /hostname "a } }',
        new RegExp(`300_site_farm\\.any:${lines}: this quotation mark`),
      ],
      ['/x { /renders { /0 { /hostname "a" /port "http" } } }', /a number is needed after \/port/],
      ['/x { /cache { /docroot "/tmp" } }', /\/renders are missing in farm \/x/],
      ['$include "../cache/none.any"', /there is no file .*cache\/none\.any/],
      ['$include "300_site_farm.any"', /include each other without end/],
      [
        `/x { /renders { /0 { /hostname "a" } } /filter { /1 { /type "deny" /url '(' } } }`,
        /not a regular expression/,
      ],
      [
        '/x { /renders { /0 { /hostname "a" } } /filter { /1 { /type "maybe" /url "*" } } }',
        /"allow" or "deny"/,
      ],
    ];
    for (const [text, expected] of broken) {
      await appendFile(farm, text);
      const { code, stderr } = await httpd(node, '-t');
      assert.equal(code, 1, text);
      assert.match(stderr, expected);
      await rm(farm);
      await appendFile(farm, good);
    }
    assert.equal((await httpd(node, '-t')).code, 0);
    assert.equal((await node.visit(EN)).status, 200);
  });

  it('keeps the links of the configuration, and warns of nothing in its config test', async () => {
    const node = await start();
    const { serverRoot } = node.dispatcher;
    assert.equal(
      await readlink(join(serverRoot, 'conf.dispatcher.d/enabled_farms/300_site_farm.any')),
      '../available_farms/300_site_farm.any',
    );
    const { code, stderr } = await httpd(node, '-t');
    assert.deepEqual([code, stderr.trim()], [0, 'Syntax OK']);
  });

  it('reloads a changed farm without one failed request', async () => {
    const node = await start();
    const { serverRoot } = node.dispatcher;
    const log = join(serverRoot, 'logs', 'error_log');
    const statuses = new Map<number, number>();
    const answered = () => [...statuses.values()].reduce((sum, count) => sum + count, 0);
    let going = true;
    const visitor = async (path: () => string) => {
      while (going) {
        const { status } = await node.visit(path());
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    node.publish.before = () => delay(30); // some answers are always under way
    let count = 0;
    const visitors = [
      ...Array.from({ length: 3 }, () => visitor(() => EN)),
      ...Array.from({ length: 3 }, () => visitor(() => `${EN}?count=${count++}`)),
    ];
    await appendFile(
      join(serverRoot, 'conf.dispatcher.d/filters/site_filters.any'),
      '\n/0300 { /type "allow" /url "/new.html" }\n',
    );
    assert.equal((await node.visit('/new.html')).status, 404);
    for (let reload = 1; reload <= 5; reload++) {
      assert.equal((await httpd(node, '-k', 'graceful')).code, 0);
      await until(
        `reload ${reload}`,
        async () => (await countIn(log, 'resuming normal operations')) > reload,
      );
      const before = answered();
      await until('visitors go on coming', () => answered() >= before + 20);
    }
    await until('the new filter', async () => (await node.visit('/new.html')).status === 200);
    going = false;
    await Promise.all(visitors);
    assert.deepEqual([...statuses.keys()], [200]);
  });

  it('stops at once, more than once, and starts again with its configuration and its cache', async () => {
    const node = await start();
    await node.visit(EN);
    const { serverRoot, environment } = node.dispatcher;
    await appendFile(
      join(serverRoot, 'conf.d/rewrites/site_rewrite.rules'),
      'RewriteRule ^/deployed$ - [R=410]\n',
    );
    const began = Date.now();
    await Promise.all([node.dispatcher.stop(), node.dispatcher.stop()]);
    await node.dispatcher.stop();
    assert.ok(Date.now() - began < KILLED_AFTER_MS, 'it ended by itself');
    const port = Number(environment.LISTEN_PORT);
    assert.equal(await listening(port), false);
    const again = await startDispatcher({
      folder: join(serverRoot, '..'),
      port,
      publishUrl: node.publish.url,
      modulePath: await testModule(),
      nodeId: 'dispatcher1',
      configuration: siteConfiguration(),
    });
    try {
      assert.equal((await node.visit('/deployed')).status, 410);
      assert.match((await node.visit(EN)).body, /made 1</);
    } finally {
      await again.stop();
    }
  });
});

describe('starting a local dispatcher', () => {
  const folder = temporaryFolder();
  const options = async (port: number) => ({
    folder: folder(),
    port,
    publishUrl: 'http://127.0.0.1:9',
    modulePath: await testModule(),
    nodeId: 'dispatcher7',
    configuration: siteConfiguration(),
  });

  it("fails with httpd's own words when its port is taken", async () => {
    const [port = 0] = await freePorts(1);
    const first = await startDispatcher(await options(port));
    try {
      const second = { ...(await options(port)), folder: join(folder(), 'second') };
      await assert.rejects(startDispatcher(second), {
        type: 'Rejected',
        message: /httpd of dispatcher7 does not start/,
      });
    } finally {
      await first.stop();
    }
  });

  it('names the folder that a configuration lacks', async () => {
    const incomplete = { ...(await options(1)), configuration: folder() };
    await assert.rejects(startDispatcher(incomplete), {
      type: 'Missing',
      message: /there is no folder conf$/,
    });
  });

  it('leaves no httpd behind when its owner is killed', async () => {
    const [port = 0] = await freePorts(1);
    const owner = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        fileURLToPath(new URL('owner.ts', import.meta.url)),
        JSON.stringify(await options(port)),
      ],
      { stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => owner.once('exit', resolve));
    try {
      await until('httpd listens', () => listening(port));
    } finally {
      owner.kill('SIGKILL');
      await ended;
    }
    await until('httpd has gone', async () => !(await listening(port)));
  });
});
