import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { ProgramInput } from '../../src/model/schema/definition.ts';
import type { Started } from '../../src/model/program.ts';
import { until } from '../support/until.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { ann, workflowHarness } from './harness.ts';

interface Sent {
  readonly event_id: string;
  readonly recipient_client_id: string;
  readonly event: Record<string, unknown> & { readonly 'activitystreams:object': { readonly '@id': string } };
}

/** An execution with nobody to ask. */
const alone = { approval: false, schedule: false, cse: undefined } as const;

describe('events', function () {
  this.timeout(120_000);
  const fairway = workflowHarness('real time');
  let receiver: WebhookReceiver;
  beforeEach(async () => {
    receiver = new WebhookReceiver();
    await receiver.start();
  });
  afterEach(() => receiver.stop());

  type WebhookInput = NonNullable<ProgramInput['webhooks']>[number];
  const webhook = (change: object = {}): WebhookInput => ({
    id: 'ci',
    form: 'adobe',
    url: receiver.url,
    secret: 'HOOK',
    ...change,
  });
  const begin = (webhooks: WebhookInput[], pipeline: object = alone, script = {}) =>
    fairway.begin(script, { program: { webhooks }, pipeline });
  const delivery = ({ executionId }: Started) =>
    fairway.client.temporal.workflow.getHandle(`events-1-${executionId}-ci`);
  const sent = () => receiver.received.map(({ body }) => JSON.parse(body) as Sent);
  /** `started execution 0000000001`, `ended step/build` */
  const inWords = ({ event }: Sent) =>
    `${String(event['@type']).split('/').at(-1)} ${event['activitystreams:object']['@id'].split('/').slice(-2).join('/')}`;
  const ended = (count = 1) =>
    until(
      'the end is received',
      () => sent().filter((event) => inWords(event).startsWith('ended execution/')).length >= count,
      60_000,
    );
  const eventsOf = async ({ workflowId, runId }: Started) => {
    const { events } = await fairway.client.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    return events ?? [];
  };

  it('come in order, signed, once each, with what Adobe says in them', async () => {
    const started = await begin([webhook({ clientId: 'my-client', imsOrgId: 'ORG@AdobeOrg' })], {
      ...alone,
      approval: true,
    });
    await fairway.waitsAt('approval');
    await fairway.client.send('approve', fairway.address(started), { approved: true, by: ann });
    await ended();

    const { executionId } = started;
    assert.deepEqual(sent().map(inWords), [
      `started execution/${executionId}`,
      'started step/validate',
      'ended step/validate',
      'started step/build',
      'ended step/build',
      'ended step/codeQuality',
      ...['stageDeploy', 'securityTest', 'loadTest', 'assetsTest', 'reportPerformanceTest'].flatMap(
        (step) => [`started step/${step}`, `ended step/${step}`],
      ),
      'waiting step/approval',
      'ended step/approval',
      'started step/prodDeploy',
      'ended step/prodDeploy',
      `ended execution/${executionId}`,
    ]);
    assert.equal(new Set(sent().map(({ event_id }) => event_id)).size, sent().length);
    for (const { body, headers } of receiver.received) {
      const signature = createHmac('sha256', 'value of HOOK').update(body).digest('base64');
      assert.equal(headers['x-adobe-signature'], signature);
      assert.equal(headers['x-adobe-event-id'], (JSON.parse(body) as Sent).event_id);
    }
    const [first] = sent();
    const published = first?.event['activitystreams:published'];
    const path = `/api/program/1/pipeline/101/execution/${executionId}`;
    const ns = 'https://ns.adobe.com/experience/cloudmanager';
    assert.deepEqual(first, {
      event_id: first?.event_id,
      recipient_client_id: 'my-client',
      event: {
        '@id': `urn:oeid:cloudmanager:${first?.event_id}`,
        '@type': `${ns}/event/started`,
        'xdmEventEnvelope:objectType': `${ns}/pipeline-execution`,
        'activitystreams:published': published,
        'activitystreams:to': { '@type': 'xdmImsOrg', 'xdmImsOrg:id': 'ORG@AdobeOrg' },
        'activitystreams:actor': { '@type': 'xdmImsUser', 'xdmImsUser:id': 'ann' },
        'activitystreams:object': {
          '@id': `https://fairway.example.org${path}`,
          '@type': `${ns}/pipeline-execution`,
        },
      },
    });
    assert.equal(
      sent()[1]?.event['activitystreams:object']['@id'],
      `https://fairway.example.org${path}/phase/VALIDATE/step/validate`,
    );
    assert.deepEqual(receiver.challenges, ['GET']);
    const history = JSON.stringify([await eventsOf(started), await delivery(started).fetchHistory()]);
    assert.ok(!history.includes(Buffer.from('value of HOOK').toString('base64').slice(0, 12)));
  });

  it('cost the history of an execution one event at most for each moment; without webhooks none', async () => {
    const bare = await fairway.begin({}, { pipeline: alone });
    await fairway.end(bare);
    const told = await begin([webhook()]);
    await fairway.end(told);
    await ended();
    // Workflow tasks come and go as the machine is busy; what is done in them does not.
    const work = async (execution: Started) =>
      (await eventsOf(execution)).filter(
        (event) =>
          !event.workflowTaskScheduledEventAttributes &&
          !event.workflowTaskStartedEventAttributes &&
          !event.workflowTaskCompletedEventAttributes,
      );
    const [without, withOne] = [await work(bare), await work(told)];
    const extra = withOne.length - without.length;
    assert.ok(extra > 0 && extra < sent().length, `${extra} of the history for ${sent().length} events`);
  });

  it('are tried again until they are taken, those behind them waiting: 500, refused, then 200', async () => {
    const events = ['executionStarted', 'executionEnded'];
    receiver.answer = (attempt) => (attempt === 1 ? 500 : attempt === 2 ? 429 : 200);
    const started = await begin([webhook({ events })]);
    await ended();
    const ids = sent().map(({ event_id }) => event_id);
    assert.equal(ids.length, 4);
    assert.deepEqual(ids.slice(0, 2), [ids[2], ids[2]], 'the same id in every attempt');
    assert.equal(inWords(sent()[3]!), `ended execution/${started.executionId}`);
  });

  it('do not hold up an execution: nobody listens, then they come', async () => {
    await receiver.stop();
    const started = await begin([webhook({ events: ['executionStarted', 'executionEnded'] })]);
    const state = await fairway.end(started);
    assert.equal(state.status, 'FINISHED');
    assert.deepEqual(state.warnings, []);
    assert.equal((await delivery(started).describe()).status.name, 'RUNNING');
    await receiver.start();
    await ended();
    assert.deepEqual(
      sent()
        .map(inWords)
        .map((word) => word.split(' ')[0]),
      ['started', 'ended'],
    );
  });

  for (const how of ['json', 'by POST'] as const)
    it(`come once the receiver has repeated a challenge (${how})`, async () => {
      receiver.challenge = how;
      await begin([webhook({ events: ['executionEnded'] })]);
      await ended();
      assert.deepEqual(receiver.challenges, how === 'json' ? ['GET'] : ['GET', 'POST']);
    });

  it('do not come to one that does not repeat its challenge', async () => {
    receiver.challenge = 'wrong';
    const started = await begin([webhook({ events: ['executionEnded'] })]);
    assert.equal((await fairway.end(started)).status, 'FINISHED');
    await until('it was asked in both ways', () => receiver.challenges.length === 2, 30_000);
    assert.equal(receiver.received.length, 0);
    await delivery(started).terminate();
  });

  it('that were missed are replayed, to the address that the webhook has then; once', async () => {
    receiver.answer = () => 410;
    const events = ['executionStarted', 'executionEnded'];
    const started = await begin([webhook({ events })]);
    await fairway.end(started);
    await until('the first end is refused', async () => receiver.received.length >= 2, 30_000);
    const missed = async () => (await fairway.client.webhooks('1')).find(({ id }) => id === 'ci')?.missed;
    await until('it is listed', async () => ((await missed()) ?? 0) >= 1, 30_000);
    const refused = sent().map(({ event_id }) => event_id);

    const elsewhere = new WebhookReceiver();
    await elsewhere.start();
    try {
      await fairway.apply({ webhooks: [webhook({ events, url: elsewhere.url })] }, alone);
      const replayed = await fairway.client.replayEvents('1', { webhookId: 'ci' });
      const count = replayed.reduce((sum, { events: some }) => sum + some, 0);
      assert.equal(count, 2);
      await until('they have come', () => elsewhere.received.length === 2, 30_000);
      const ids = elsewhere.received.map(({ headers }) => headers['x-adobe-event-id']);
      assert.deepEqual(ids.sort(), refused.sort());
      const again = async () => (await fairway.client.replayEvents('1')).length;
      await until('nothing is left to be replayed', async () => (await again()) === 0);
      assert.equal(elsewhere.received.length, 2);
    } finally {
      await elsewhere.stop();
    }
  });

  it('are one line in the form of Slack, to an address that is a secret, in which nobody can call everybody', async () => {
    fairway.secrets.set('SLACK', receiver.url);
    const slack = { id: 'slack', form: 'slack', urlSecret: 'SLACK' } as WebhookInput;
    const broken = async () => ({
      problems: [{ thing: 'branch', problem: '<!channel> & more', remedy: 'push it' }],
      warnings: [],
    });
    const started = await begin([slack], alone, { validate: broken });
    await until('the end is received', () => receiver.received.length === 2, 30_000);
    const texts = receiver.received.map(({ body }) => (JSON.parse(body) as { text: string }).text);
    assert.deepEqual(texts, [
      `Example · Production pipeline · execution ${started.executionId} started by ann: main`,
      `Example · Production pipeline · execution ${started.executionId}: FAILED (branch: &lt;!channel&gt; &amp; more (push it))`,
    ]);
    assert.deepEqual(receiver.challenges, []);
  });
});
