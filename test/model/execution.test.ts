import assert from 'node:assert/strict';
import {
  artifactsVersion,
  deploymentWorkflowId,
  executionKey,
  executionWorkflowId,
  leaseWorkflowId,
  programWorkflowId,
} from '../../src/model/execution.ts';

describe('the version of the artifacts', () => {
  const cases: [string, string, string][] = [
    ['as documented: the month without leading zero', '2019-05-23T13:49:47Z', '2019.523.134947'],
    [
      'a day below ten keeps two digits, so that 1 December is not 11 February',
      '2026-12-01T00:00:00Z',
      '2026.1201.000000',
    ],
    ['early in the year', '2026-01-02T03:04:05.999Z', '2026.102.030405'],
    ['at the end of it', '2026-12-31T23:59:59.999Z', '2026.1231.235959'],
    ['in UTC, whatever the offset', '2027-01-01T00:30:00+01:00', '2026.1231.233000'],
  ];
  for (const [what, at, expected] of cases)
    it(what, () => assert.equal(artifactsVersion(new Date(at), '0000006554'), `${expected}.0000006554`));

  it('differs between any two instants and executions', () => {
    const versions = ['2026-01-11T10:00:00Z', '2026-11-01T10:00:00Z', '2026-11-11T10:00:00Z'].map((at) =>
      artifactsVersion(new Date(at), '0000000001'),
    );
    assert.equal(new Set(versions).size, versions.length);
  });
});

describe('identities of an execution', () => {
  it('are those that people find in the Web UI and in storage', () => {
    assert.equal(programWorkflowId('1'), 'program-1');
    assert.equal(executionWorkflowId('1', '101'), 'pipeline-1-101');
    assert.equal(leaseWorkflowId('1', '12'), 'environment-1-12');
    assert.equal(deploymentWorkflowId('1', '12'), 'environment-1-12-deployment');
    assert.equal(
      executionKey({ programId: '1', pipelineId: '101', executionId: '0000000007' }),
      '1/101/0000000007',
    );
  });
});
