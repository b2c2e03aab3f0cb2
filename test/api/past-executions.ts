import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { executionIdOf } from '../../src/model/program.ts';
import { indexKey, summaryOf } from '../../src/model/summary.ts';
import { aemArtifact, definition, dispatcherArtifact } from '../support/definition.ts';
import { executionAt, keepRecord } from '../support/execution-record.ts';
import { ann } from '../workflows/harness.ts';
import { metric } from '../workflows/scripted-world.ts';
import type { ApiUnderTest } from './setup.ts';

const COUNT = 45;
const DAY = 86_400_000;
const program = definition({ id: '301', name: 'Long ago' }, { id: '3', name: 'Third' });
const pipeline = '/api/program/3/pipeline/301';
const REL = 'http://ns.adobe.com/adobecloud/rel';

interface List {
  readonly _page: { readonly start: number; readonly limit: number; readonly next?: number };
  readonly _embedded: { readonly executions: readonly { readonly id: string }[] };
  readonly _links: { readonly next?: { readonly href: string } };
}

/** Executions of which Temporal knows nothing (any more): their records are in storage. */
export function describePastExecutions(on: ApiUnderTest): void {
  describe('executions that Temporal has forgotten', () => {
    /** Newest first. */
    const ids = Array.from({ length: COUNT }, (_, index) => executionIdOf(COUNT - index));
    const newest = ids[0]!;
    const path = `${pipeline}/execution/${newest}`;
    const package_ = Buffer.from('a content package');

    before(async () => {
      const { client } = on.fairway;
      await client.apply(program, (await client.program('3'))?.revision ?? 0, ann);
      const keep = async (executionId: string, index: number) => {
        const createdAt = new Date(Date.parse('2025-03-01T12:00:00Z') - index * DAY).toISOString();
        await keepRecord(on.fairway.storage, executionAt('its end', { executionId, createdAt }, program));
      };
      await Promise.all(ids.slice(1).map((id, index) => keep(id, index + 1)));
      const kept = (name: string, content: string | Buffer) =>
        on.fairway.storage.put(`3/301/${newest}/${name}`, content);
      const end = executionAt(
        'its end',
        { executionId: newest, createdAt: '2025-03-01T12:00:00.000Z' },
        program,
      );
      const findings = [await kept('results/codeQuality.csv', 'File Location\n')];
      await kept('logs/build.log', 'built\n');
      await keepRecord(on.fairway.storage, {
        ...end,
        artifactsVersion: '2025.301.120000.0000000045',
        artifacts: [
          { ...aemArtifact('site.all'), file: await kept('artifacts/site.all-1.0.0.zip', package_) },
          { ...dispatcherArtifact, file: await kept('artifacts/dispatcher-1.0.0.zip', 'a dispatcher') },
          {
            kind: 'kept',
            reason: 'not deployed',
            path: 'it/target/it.zip',
            file: await kept('artifacts/it.zip', 'tests'),
          },
        ],
        steps: end.steps.map((step) =>
          step.id === 'codeQuality'
            ? { ...step, findings, metrics: [metric('coverage', 'important', true)] }
            : step,
        ),
      });
    });

    after(() => on.fairway.client.deleteProgram('3', ann));

    const page = async (url: string) => {
      const answer = await on.ask({ url });
      assert.equal(answer.statusCode, 200, answer.body);
      return answer.json<List>();
    };
    const idsOf = ({ _embedded }: List) => _embedded.executions.map(({ id }) => id);

    it('are read with their steps, metrics and logs', async () => {
      const execution = await on.deployer.getExecution('3', '301', newest);
      assert.deepEqual(
        [execution.status, execution._embedded.stepStates.every(({ status }) => status === 'FINISHED')],
        ['FINISHED', true],
      );
      const { metrics } = await on.deployer.getQualityGateResults('3', '301', newest, 'codeQuality');
      assert.deepEqual(
        metrics.map(({ kpi }) => kpi),
        ['coverage'],
      );
      await assert.rejects(on.deployer.getExecution('3', '301', '9999999999'), /404/);
      await assert.rejects(on.deployer.getCurrentExecution('3', '301'), /404/);
      const late = await on.ask({
        ...{ method: 'PUT', url: `${path}/phase/DEPLOY_2/step/approval/cancel` },
        payload: { approved: false },
      });
      assert.equal(late.statusCode, 409, late.body);
    });

    it('are listed newest first, by what the library does and page by page along `next`', async () => {
      const twenty = await on.deployer.listExecutions('3', '301');
      assert.deepEqual(
        twenty.map(({ id }) => id),
        ids.slice(0, 20),
      );
      const found: string[] = [];
      for (let url: string | undefined = `${pipeline}/executions?limit=10`, pages = 1; url; pages += 1) {
        const list: List = await page(url);
        found.push(...idsOf(list));
        url = list._links.next?.href;
        assert.equal(list._page.next, url && pages * 10);
        assert.ok(pages <= 5, 'the last page has no next one');
      }
      assert.deepEqual(found, ids);
    });

    it('are listed from any start, up to the end and beyond it', async () => {
      const from = async (start: number, limit: number) =>
        idsOf(await page(`${pipeline}/executions?start=${start}&limit=${limit}`));
      assert.deepEqual(await from(0, 1), ids.slice(0, 1));
      assert.deepEqual(await from(13, 25), ids.slice(13, 38));
      assert.deepEqual(await from(40, 100), ids.slice(40));
      assert.deepEqual(await from(COUNT, 5), []);
      const last = await page(`${pipeline}/executions?start=25&limit=20`);
      assert.deepEqual([last._links.next, last._page], [undefined, { start: 25, limit: 20 }]);
      for (const wrong of ['start=-1', 'start=x', 'limit=0', 'limit=101', 'limit=1.5', 'start=10001'])
        assert.equal((await on.ask({ url: `${pipeline}/executions?${wrong}` })).statusCode, 400, wrong);
      const nowhere = await on.ask({ url: '/api/program/3/pipeline/999/executions' });
      assert.equal(nowhere.statusCode, 404);
    });

    it('are listed, without steps, although their record is gone', async () => {
      const other = definition({ id: '302' }, { id: '3' });
      const lost = executionAt('its end', { executionId: '0000000099' }, other);
      await on.fairway.storage.put(indexKey(lost), JSON.stringify(summaryOf(lost)));
      const list = await page('/api/program/3/pipeline/302/executions');
      assert.deepEqual(list._embedded.executions, [
        {
          ...list._embedded.executions[0],
          ...{ id: '0000000099', status: 'FINISHED', pipelineExecutionMode: 'NORMAL' },
          _embedded: { stepStates: [] },
        },
      ]);
    });

    it('have artifacts, listed and downloaded by links that need no token', async () => {
      const build = `${path}/phase/BUILD_1/step/build`;
      const list = (await on.ask({ url: `${build}/artifacts` })).json<{
        _embedded: {
          artifacts: {
            id: string;
            type?: string;
            file: string;
            sha256?: string;
            _links: { self: { href: string } };
          }[];
        };
      }>();
      const { artifacts } = list._embedded;
      assert.deepEqual(
        artifacts.map(({ type, file }) => [type, file]),
        [
          ['LOG_FILE', `${newest}-build.log`],
          ['CONTENT_PACKAGE', 'site.all-1.0.0.zip'],
          ['DISPATCHER_CONFIGURATION', 'dispatcher-1.0.0.zip'],
          [undefined, 'it.zip'], // Cloud Manager has no word for what is not deployed
        ],
      );
      assert.equal(artifacts[1]?.sha256, createHash('sha256').update(package_).digest('hex'));
      const href = artifacts[1]._links.self.href;
      const { redirect } = (await on.ask({ url: href })).json<{ redirect: string }>();
      const whole = await fetch(redirect);
      assert.equal(whole.status, 200);
      assert.match(whole.headers.get('content-disposition') ?? '', /filename="site.all-1.0.0.zip"/);
      assert.deepEqual(Buffer.from(await whole.arrayBuffer()), package_);
      const rest = await fetch(redirect, { headers: { range: 'bytes=10-' } });
      assert.deepEqual([rest.status, await rest.text()], [206, package_.subarray(10).toString()]);

      const browser = await on.ask({ url: href, headers: { accept: 'text/html' } });
      assert.equal(browser.statusCode, 307);
      assert.equal(await (await fetch(String(browser.headers['location']))).text(), package_.toString());
      for (const id of ['0', '9', 'x', '..%2f'])
        assert.equal((await on.ask({ url: `${build}/artifact/${id}` })).statusCode, 404, id);
      const issues = await on.ask({ url: `${path}/phase/BUILD_1/step/codeQuality/artifacts` });
      assert.match(issues.body, /"SCAN_ISSUES".*"codeQuality.csv"/);
    });

    it('show their links as clients follow them: relative, and for what can be done only', async () => {
      const { _embedded } = (await on.ask({ url: path })).json<{
        _embedded: { stepStates: { stepId: string; _links: Record<string, { href: string }> }[] };
      }>();
      const relations = (stepId: string) =>
        Object.keys(_embedded.stepStates.find((step) => step.stepId === stepId)?._links ?? {})
          .filter((rel) => rel.startsWith(`${REL}/pipeline/`))
          .map((rel) => rel.slice(`${REL}/pipeline/`.length));
      assert.deepEqual(relations('codeQuality'), ['logs', 'metrics']);
      assert.deepEqual(relations('approval'), ['logs']);
      assert.deepEqual(relations('prodDeploy'), ['logs', 'reExecute']);
      for (const { _links } of _embedded.stepStates)
        for (const { href } of Object.values(_links)) assert.match(href, /^\/api\//);
    });
  });
}
