import assert from 'node:assert/strict';
import type { BuildActivities, CodeQualityInput } from '../../src/model/activities.ts';
import { ann, workflowHarness } from './harness.ts';

describe('a production pipeline', () => {
  const fairway = workflowHarness('time skipping');

  it('runs all its steps in order and deploys to production leg by leg', async () => {
    const codeScanner = { type: 'sonarqube', url: 'http://sonarqube', token: 'SONAR' } as const;
    let scanned: CodeQualityInput | undefined;
    const codeQuality: BuildActivities['codeQuality'] = async (input) => {
      scanned = input;
      return { metrics: [], results: { key: 'results.json', sha256: '0', size: 2 } };
    };
    const started = await fairway.begin({ codeQuality }, { program: { codeScanner } });
    const { client } = fairway;
    await fairway.waitsAt('approval');
    await client.send('approve', fairway.address(started), { by: ann, approved: true });
    await fairway.waitsAt('schedule');
    await client.send('schedule', fairway.address(started), { by: ann, at: 'NOW', timeZone: 'UTC' });
    await fairway.waitsAt('managed');
    await client.send('cseSupport', fairway.address(started), { by: ann, start: true });
    const state = await fairway.end(started);

    assert.equal(state.status, 'FINISHED', state.failure?.message);
    assert.deepEqual(fairway.world.done('checkCodeScanner'), ['checkCodeScanner']);
    assert.deepEqual(scanned?.scanner, codeScanner);
    assert.deepEqual(scanned.names, { program: 'Example', pipeline: 'Production pipeline' });
    assert.deepEqual(
      state.steps.map(({ id, status }) => `${id} ${status}`),
      [
        'validate',
        'build',
        'codeQuality',
        'stageDeploy',
        'securityTest',
        'loadTest',
        'assetsTest',
        'reportPerformanceTest',
        'approval',
        'schedule',
        'managed',
        'prodDeploy',
      ].map((id) => `${id} FINISHED`),
    );
    assert.deepEqual(fairway.world.done('detach', 'attach'), [
      'detachDispatcher dispatcher1',
      'attachDispatcher dispatcher1',
      'detachDispatcher dispatcher1',
      'attachDispatcher dispatcher1',
      'detachDispatcher dispatcher2',
      'attachDispatcher dispatcher2',
    ]);
  });

  it('ends at Validation where the server that is to scan the code refuses the token', async () => {
    const codeScanner = { type: 'sonarqube', url: 'http://sonarqube', token: 'SONAR' } as const;
    const problem = { thing: 'SonarQube server http://sonarqube', problem: 'refused', remedy: 'a new token' };
    const started = await fairway.begin(
      { checkCodeScanner: async () => [problem] },
      { program: { codeScanner } },
    );
    const state = await fairway.end(started);
    assert.equal(
      `${state.status} ${state.failure?.message}`,
      'FAILED SonarQube server http://sonarqube: refused (a new token)',
    );
    assert.deepEqual(fairway.world.done('build'), []);
  });
});
