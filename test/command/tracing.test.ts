import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { stringify } from 'yaml';
import { prepare } from '../../src/local/setup/prepare.ts';
import { startTemporal, type TemporalServer } from '../../src/local/temporal-server.ts';
import { makeStorage } from '../../src/systems/storage/file-storage.ts';
import { isAskedFor } from '../../src/systems/tracing/tracing.ts';
import { definition, environment } from '../support/definition.ts';
import { httpServer, type HttpServer } from '../support/http-server.ts';
import { until } from '../support/until.ts';
import { workflowBundle } from '../workflows/harness.ts';
import { endAll, fairway, startFairway } from './fairway.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: Pick<Span, 'attributes'>;
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const attribute = ({ attributes }: Pick<Span, 'attributes'>, name: string) =>
  attributes.find(({ key }) => key === name)?.value.stringValue;

describe('traces', function () {
  this.timeout(180_000);
  let home = '';
  let temporal: TemporalServer;
  let collector: HttpServer;
  let aem: HttpServer;
  const spans: (Span & { readonly service: string | undefined })[] = [];
  const askedOfAem: (string | undefined)[] = [];

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'fairway-traces-'));
    collector = await httpServer((request, response) => {
      void json(request).then((sent) => {
        for (const { resource, scopeSpans } of (sent as Export).resourceSpans)
          for (const span of scopeSpans.flatMap((scope) => scope.spans))
            spans.push({ ...span, service: attribute(resource, 'service.name') });
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    aem = await httpServer((request, response) => {
      askedOfAem.push(request.headers['traceparent'] as string | undefined);
      response.writeHead(401).end();
    });
    const { temporal: executable } = await prepare(['temporal'], () => undefined);
    temporal = await startTemporal({ folder: join(home, 'temporal'), executable });
    await makeStorage(join(home, 'storage'));
  });
  after(async () => {
    endAll();
    await temporal?.stop();
    await collector?.close();
    await aem?.close();
    if (home) await rm(home, { recursive: true, force: true });
  });

  it('are made where the variables of OpenTelemetry name somebody to send them to, and only there', () => {
    const at = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
    assert.equal(isAskedFor({}), false);
    assert.equal(isAskedFor({ OTEL_SERVICE_NAME: 'x' }), false);
    assert.equal(isAskedFor({ ...at, OTEL_SDK_DISABLED: 'true' }), false);
    assert.equal(isAskedFor({ ...at, OTEL_TRACES_EXPORTER: 'none' }), false);
    assert.equal(isAskedFor({ OTEL_TRACES_EXPORTER: 'otlp' }), true);
    assert.equal(isAskedFor({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector/v1/traces' }), true);
    assert.equal(isAskedFor(at), true);
  });

  it('lead from a request to the API through workflows and an activity to what it asks of AEM', async () => {
    const common = {
      ...{ TEMPORAL_ADDRESS: temporal.address, FAIRWAY_STORAGE: join(home, 'storage') },
      FAIRWAY_API_KEYS: join(home, 'api-keys.json'),
      FAIRWAY_SECRET_AEM: 'admin:the-password',
    };
    const traced = (service: string) => ({
      env: {
        ...{ ...common, OTEL_SERVICE_NAME: service, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
        OTEL_BSP_SCHEDULE_DELAY: '200',
      },
    });
    const worker = startFairway(['worker', '--role', 'orchestrator'], traced('worker'));
    const api = startFairway(['api', '--listen', '127.0.0.1:0'], traced('api'));
    const url = () => /API at (\S+);/.exec(api.errors())?.[1];
    await until('the API listens', () => url() !== undefined, 60_000);
    await until('the worker is ready', () => /"ready"/.test(worker.output()), 60_000);

    const dev = { ...environment('10', 'Dev', 'stage', 0), type: 'dev' as const, publish: [] };
    const [author] = dev.author;
    const { loadBalancer: _none, ...alone } = {
      ...dev,
      author: [{ ...author!, url: `${aem.url}/secret-path` }],
    };
    const program = definition(
      {},
      {
        environments: [alone],
        pipelines: [
          {
            ...{ id: '101', name: 'Dev', type: 'deployment', devEnvironment: '10' },
            repository: { url: 'https://127.0.0.1:1/none.git', branch: 'main' },
          },
        ],
      },
    );
    const file = join(home, 'fairway.yaml');
    await writeFile(file, stringify({ programs: [program] }));
    const applied = await fairway(['apply', '-f', file, '--yes'], { env: common });
    assert.equal(applied.code, 0, applied.stderr);
    const token = await fairway(['token', 'create', '--role', 'deployment-manager'], { env: common });
    const incoming = '0af7651916cd43dd8448eb211c80319c';
    const started = await fetch(`${url()}/api/program/1/pipeline/101/execution`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${token.stdout.trim()}`,
        traceparent: `00-${incoming}-b7ad6b7169203331-01`,
      },
    });
    assert.equal(started.status, 201, await started.text());

    // What a span is part of is told once it has ended itself.
    await until(
      'the execution has ended',
      () => spans.some(({ name }) => name === 'RunWorkflow:pipelineExecution'),
      60_000,
    );
    for (const { process } of [api, worker]) process.kill('SIGTERM');
    assert.deepEqual([(await api.ended).code, (await worker.ended).code], [0, 0]);
    assert.ok(askedOfAem.some((header) => header?.startsWith(`00-${incoming}-`)));
    const question = spans.find(({ name, traceId }) => name === 'GET' && traceId === incoming);
    assert.deepEqual([question?.service, question && attribute(question, 'url.full')], ['worker', aem.url]);
    const above = (span: Span): Span | undefined => spans.find(({ spanId }) => spanId === span.parentSpanId);
    const path: string[] = [];
    for (let span: Span | undefined = question; span; span = above(span)) path.unshift(span.name);
    assert.deepEqual(path, [
      'PUT /api/program/:programId/pipeline/:pipelineId/execution',
      'StartWorkflowUpdate:start',
      'HandleUpdate:start',
      'StartChildWorkflow:pipelineExecution',
      'RunWorkflow:pipelineExecution',
      'StartActivity:validate',
      'RunActivity:validate',
      'GET',
    ]);
    const connection = await Connection.connect({ address: temporal.address });
    const handle = new Client({ connection }).workflow.getHandle('pipeline-1-101');
    const history = await handle.fetchHistory().finally(() => connection.close());
    // Tracing may be switched off while executions run.
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, 'pipeline-1-101');
    assert.ok(spans.every(({ attributes }) => !/the-password|secret-path/.test(JSON.stringify(attributes))));
  });
});
