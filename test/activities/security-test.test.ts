import assert from 'node:assert/strict';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { securityTestActivities } from '../../src/activities/security-test.ts';
import { startAem, type AemStandIn } from '../../src/local/aem/aem.ts';
import type { Activities, TestOutcome } from '../../src/model/activities.ts';
import { programSchema } from '../../src/model/schema/definition.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { definition } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';

type Input = Parameters<Activities['securityTest']>[0];

describe('security testing', () => {
  // Before the folder's own: an instance writes there when it stops.
  afterEach(() => Promise.all(instances.splice(0).map((instance) => instance.stop())));
  const folder = temporaryFolder();
  const instances: AemStandIn[] = [];

  const start = async (name: string, insecure: readonly 'crxde_support'[]) => {
    const options = { runMode: 'author', password: 'long', folder: join(folder(), name) } as const;
    const instance = await startAem({ ...options, insecure: [...insecure] });
    instances.push(instance);
    return { id: name, url: instance.url, credentials: 'ADMIN' };
  };
  const test = async (author: Input['environment']['author']): Promise<TestOutcome> => {
    const [stage] = programSchema.parse(definition()).environments;
    assert.ok(stage);
    const environment = { ...stage, author, publish: [], dispatchers: [] };
    const activities = securityTestActivities({
      storage: fileStorage(join(folder(), 'storage')),
      secret: () => Promise.resolve('admin:long'),
    });
    return new MockActivityEnvironment().run<[Input], TestOutcome, (given: Input) => Promise<TestOutcome>>(
      (given) => activities.securityTest(given),
      { executionKey: '1/101/7', gates: {}, log: '1/101/7/logs/securityTest.log', environment },
    );
  };

  it('keeps the checks that do not pass as CSV, by node; nothing where all pass', async () => {
    const hard = await start('hard', []);
    const open = await start('open', ['crxde_support']);
    assert.equal((await test([hard])).findings, undefined);
    const { findings = [] } = await test([hard, open]);
    assert.deepEqual(
      findings.map(({ key }) => key),
      ['1/101/7/results/securityTest.csv'],
    );
    const csv = await text(await fileStorage(join(folder(), 'storage')).get(findings[0]?.key ?? ''));
    const [heading, ...rows] = csv.trim().split('\r\n');
    assert.equal(heading, 'check,node,outcome,evidence');
    assert.equal(rows.length, 1, csv);
    assert.match(rows[0] ?? '', /^crxde_support,open,failed,"health check ""CRXDE Support"": CRITICAL/);
  });
});
