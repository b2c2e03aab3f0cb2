import assert from 'node:assert/strict';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gate } from '../../support/gate.ts';
import { until } from '../../support/until.ts';
import { bench, type Bench } from './bench.ts';

const FARM = 'conf.dispatcher.d/available_farms/300_site_farm.any';
const EN = '/content/site/en.html';
const NEWS = '/content/site/en/news.html';

/** How often the publish had made a page when it made this one. */
async function made({ visit }: Bench, path: string): Promise<number> {
  const { status, body } = await visit(path);
  assert.equal(status, 200, `${path}: ${body}`);
  return Number(/made (\d+)/.exec(body)?.[1]);
}

/** Whether the publish is asked for a page that has been asked for before. */
async function askedAgain(node: Bench, path: string): Promise<boolean> {
  const before = node.publish.asked.length;
  await made(node, path);
  return node.publish.asked.length > before;
}

describe('the dispatcher cache', () => {
  const { start } = bench();

  it('answers from its files, also when the publish is down, and 503 where it has none', async () => {
    const node = await start();
    assert.equal(await made(node, EN), 1);
    assert.equal(await made(node, EN), 1);
    assert.deepEqual(await node.visit(EN, { method: 'HEAD' }).then(({ status, body }) => [status, body]), [
      200,
      '',
    ]);
    assert.equal(await made(node, '/'), 1, 'the home page is rewritten before it is looked up');
    assert.match(await readFile(join(node.dispatcher.docroot, EN), 'utf8'), /made 1/);
    await node.publish.stop();
    assert.equal(await made(node, EN), 1);
    assert.match(String((await node.visit(NEWS)).status), /^50[23]$/);
  });

  it('keeps neither errors nor private, truncated, parametrised or authorised answers', async () => {
    const node = await start();
    const kept = async (path = EN, headers = {}) => {
      await node.visit(path, { headers }).catch(() => undefined);
      return (await readdir(node.dispatcher.docroot, { recursive: true })).some((name) =>
        name.endsWith('.html'),
      );
    };
    assert.equal(await kept(`${EN}?q=1`), false);
    assert.equal(await kept(EN, { authorization: 'Basic eDp5' }), false);
    const unfit = { 'set-cookie': 'a=b', dispatcher: 'no-cache', 'cache-control': 'private' };
    for (const [name, value] of Object.entries(unfit)) {
      node.publish.headers = { [name]: value };
      assert.equal(await kept(), false, name);
    }
    node.publish.headers = {};
    node.publish.breaksOff = true;
    assert.equal(await kept(), false);
    node.publish.headers = { 'transfer-encoding': 'chunked' };
    assert.equal(await kept(), false);
    node.publish.breaksOff = false;
    assert.equal(await kept(), true);
    const files = await readdir(node.dispatcher.docroot, { recursive: true });
    assert.deepEqual(
      files.filter((name) => name.includes('.part')),
      [],
    );
  });

  it('makes a flushed path fresh and, with scope ResourceOnly, nothing else', async () => {
    const node = await start();
    for (const path of [EN, NEWS]) await made(node, path);
    assert.equal(await node.flush('/content/site/en', { 'CQ-Action-Scope': 'ResourceOnly' }), 200);
    assert.equal(await askedAgain(node, EN), true);
    assert.equal(await askedAgain(node, NEWS), false);
  });

  it('makes everything around an activated page stale as far as statfileslevel reaches', async () => {
    const node = await start();
    const other = '/content/other/en.html';
    const style = '/content/site/style.css';
    for (const path of [EN, NEWS, other, style]) await made(node, path);
    assert.equal(await node.flush('/content/site/en'), 200);
    assert.equal(await askedAgain(node, NEWS), true);
    assert.equal(await askedAgain(node, NEWS), false, 'fetched once, it is fresh again');
    assert.equal(await askedAgain(node, style), false, 'only *.html is invalidated');
    for (const level of ['', 'content', 'content/site'])
      assert.ok((await readdir(join(node.dispatcher.docroot, level))).includes('.stat'), level);
    assert.ok(!(await readdir(join(node.dispatcher.docroot, 'content/site/en'))).includes('.stat'));

    await made(node, other); // its site has no .stat file of its own yet, so the one above it counted
    assert.equal(await node.flush('/content/other/x'), 200);
    assert.equal(await askedAgain(node, other), true);
    assert.equal(await askedAgain(node, NEWS), false, 'a page of another site');
  });

  it('with statfileslevel 0 one flush makes every page stale', async () => {
    const node = await start({
      [FARM]: (text) => text.replace('/statfileslevel "2"', '/statfileslevel "0"'),
    });
    const other = '/content/other/en.html';
    await made(node, other);
    assert.equal(await node.flush('/content/site/en', { 'CQ-Action': 'Delete' }), 200);
    assert.equal(await askedAgain(node, other), true);
  });

  it('deletes every rendition of a handle and its _jcr_content, and no namesake', async () => {
    const node = await start();
    const own = [
      '/content/site/en.html',
      '/content/site/en.print.html',
      '/content/site/en/_jcr_content/a.png',
    ];
    const others = ['/content/site/english.html', '/content/site/en/a.png'];
    for (const path of [...own, ...others]) await made(node, path);
    assert.equal(await node.flush('/content/site/en', { 'CQ-Action-Scope': 'ResourceOnly' }), 200);
    for (const path of own) assert.equal(await askedAgain(node, path), true, path);
    for (const path of others) assert.equal(await askedAgain(node, path), false, path);
  });

  it('does not keep an answer that a flush overtook', async () => {
    const node = await start();
    const answers = gate();
    node.publish.before = answers.hold;
    const slow = node.visit(EN);
    await until('the publish instance is asked', () => answers.arrivals() > 0);
    assert.equal(await node.flush('/content/site/en', { 'CQ-Action-Scope': 'ResourceOnly' }), 200);
    answers.open();
    assert.equal((await slow).status, 200);
    assert.equal(await askedAgain(node, EN), true);
  });

  it('is fresh after each of many flushes that follow a store at once', async () => {
    const node = await start();
    for (let round = 1; round <= 50; round++) {
      assert.equal(await made(node, NEWS), round);
      assert.equal(await node.flush('/content/site/zz'), 200);
    }
  });

  it('gives every visitor a whole page while it is flushed again and again', async () => {
    const node = await start();
    let going = true;
    const answers: string[] = [];
    const visitors = Array.from({ length: 8 }, async (_, index) => {
      while (going) {
        const { status, body } = await node.visit(index % 2 ? EN : NEWS);
        answers.push(`${status} ${body.replace(/\d+/, 'n')}`);
      }
    });
    for (let flush = 0; flush < 100; flush++) assert.equal(await node.flush('/content/site/en'), 200);
    going = false;
    await Promise.all(visitors);
    assert.deepEqual(
      [...new Set(answers)].sort(),
      [`200 <p>${NEWS} made n</p>`, `200 <p>${EN} made n</p>`].sort(),
    );
  });

  it('refuses handles that are no content paths, other actions, and follows no link', async () => {
    const node = await start();
    const outside = join(node.dispatcher.serverRoot, 'outside.html');
    await writeFile(outside, 'stays');
    await made(node, EN);
    await symlink(node.dispatcher.serverRoot, join(node.dispatcher.docroot, 'content/site/en.link'));
    for (const handle of [
      '/../httpd/outside',
      '/content/../../httpd/outside',
      'content',
      '/.stat',
      '//x',
      '/a\\b',
    ])
      assert.equal(await node.flush(handle), 400, handle);
    assert.equal(await node.flush('/content/site/en', { 'CQ-Action': 'Rename' }), 400);
    assert.equal(await node.flush('/content/site/en', { 'CQ-Action': 'Test' }), 200, 'asks, flushes nothing');
    assert.equal(await askedAgain(node, EN), false);
    assert.equal(await node.flush('/content/site/en'), 200);
    assert.equal(await readFile(outside, 'utf8'), 'stays');
  });
});
