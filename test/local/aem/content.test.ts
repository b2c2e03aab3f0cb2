import assert from 'node:assert/strict';
import { request } from 'undici';
import { startAem, type AemStandIn } from '../../../src/local/aem/aem.ts';
import { temporaryFolder } from '../../support/folder.ts';

const PAGE = '/content/site/new';
const created = { 'jcr:primaryType': 'cq:Page', './jcr:content/jcr:title': 'A <b> & "c"' };

describe('AEM stand-in: content', () => {
  // Before their folder goes.
  afterEach(async () => {
    await author.stop();
    await publish.stop();
  });
  const folder = temporaryFolder();
  let author: AemStandIn;
  let publish: AemStandIn;
  beforeEach(async () => {
    author = await startAem({ runMode: 'author', password: 'a', folder: `${folder()}/author` });
    publish = await startAem({ runMode: 'publish', password: 'p', folder: `${folder()}/publish` });
  });

  async function ask(
    { url, credentials }: AemStandIn,
    path: string,
    form?: Record<string, string>,
    headers: Record<string, string> = {},
  ) {
    const answer = await request(url + path, {
      method: form ? 'POST' : 'GET',
      headers: {
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      body: form && new URLSearchParams(form).toString(),
    });
    const body = await answer.body.text();
    return { status: answer.statusCode, body };
  }
  const withToken = async (instance: AemStandIn) => {
    const { body } = await ask(instance, '/libs/granite/csrf/token.json');
    return { 'csrf-token': (JSON.parse(body) as { token: string }).token };
  };

  it('is changed with a CSRF token, or by a program that is known to be no browser', async () => {
    assert.equal((await ask(author, PAGE, created)).status, 403);
    assert.equal((await ask(author, PAGE, created, { 'csrf-token': 'made-up' })).status, 403);
    assert.equal((await ask(author, PAGE, created, await withToken(publish))).status, 403);
    assert.equal((await ask(author, PAGE, created, await withToken(author))).status, 201);
    assert.equal((await ask(author, PAGE, created, { 'user-agent': 'curl/8' })).status, 200);
    const { body } = await ask(author, `${PAGE}/_jcr_content.json`);
    assert.deepEqual(JSON.parse(body), { 'jcr:title': created['./jcr:content/jcr:title'] });
  });

  it('is deleted once, and keeps its place', async () => {
    const token = await withToken(author);
    await ask(author, PAGE, created, token);
    assert.equal((await ask(author, PAGE, { ':operation': 'delete' }, token)).status, 200);
    assert.equal((await ask(author, PAGE, { ':operation': 'delete' }, token)).status, 404);
    assert.equal((await ask(author, '/apps/site', created, token)).status, 500);
    assert.equal((await ask(author, `${PAGE}.json`)).status, 404);
  });

  it('is replicated by agents only, and only what is there', async () => {
    const token = await withToken(author);
    const activate = (path: string) => ask(author, '/bin/replicate.json', { cmd: 'Activate', path }, token);
    await ask(author, PAGE, created, token);
    assert.equal((await activate(PAGE)).status, 500);
    const { url, credentials } = publish;
    author.agents.push({ to: 'publish', url, credentials });
    assert.equal((await activate('/content/none')).status, 404);
    assert.equal((await activate(PAGE)).status, 200);
    await author.replicated();
    assert.equal((await ask(publish, `${PAGE}.json`)).status, 200);
  });

  it('blocks the queue of an agent until the publish instance is there again', async () => {
    const token = await withToken(author);
    const { url, credentials } = publish;
    author.agents.push({ to: 'publish', url, credentials });
    await ask(author, PAGE, created, token);
    await publish.crash();
    for (const cmd of ['Activate', 'Deactivate', 'Activate'])
      assert.equal((await ask(author, '/bin/replicate.json', { cmd, path: PAGE }, token)).status, 200);
    await publish.resume();
    await author.replicated();
    assert.equal((await ask(publish, `${PAGE}.json`)).status, 200);
  });
});
