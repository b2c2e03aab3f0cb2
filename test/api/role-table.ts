import assert from 'node:assert/strict';
import { permissions, roles, type Operation, type Role } from '../../src/api/roles.ts';
import { executionAt, keepRecord, waiting } from '../support/execution-record.ts';
import { metric } from '../workflows/scripted-world.ts';
import type { ApiUnderTest, Request } from './setup.ts';

/** Executions that only have a record: who may decide gets as far as the workflow, and hears that there is none. */
const program = '/api/program/1';
const recorded = { programId: '1', pipelineId: '199' };
const step = (executionId: string, phaseAndStep: string) =>
  `${program}/pipeline/199/execution/${executionId}/phase/${phaseAndStep}`;
const put = (url: string, payload?: object): Request => ({ method: 'PUT', url, payload });

const gate = step('0000000001', 'BUILD_1/step/codeQuality');
const approval = step('0000000002', 'DEPLOY_2/step/approval');
const schedule = step('0000000003', 'DEPLOY_2/step/schedule');
const managed = step('0000000004', 'DEPLOY_2/step/managed');
const build = step('0000000005', 'BUILD_1/step/build');
const unknownPipeline = `${program}/pipeline/999`;

/** By row of the table, requests that change nothing, whoever sends them. */
const requests: Readonly<Record<Operation, readonly Request[]>> = {
  read: [
    { url: '/api/programs' },
    { url: `${program}/pipelines` },
    { url: approval },
    { url: `${approval}/logs` },
    { url: `${program}/pipeline/199/execution/0000000002/state` },
    { url: '/metrics' },
  ],
  readVariables: [
    { url: `${program}/pipeline/101/variables` },
    { url: `${program}/environment/11/variables` },
  ],
  startExecution: [put(`${unknownPipeline}/execution`)],
  advanceStep: [
    put(`${gate}/advance`, { metrics: [{ kpi: 'coverage', override: true }] }),
    put(`${approval}/advance`, { approved: true }),
    put(`${schedule}/advance`, { type: 'IMMEDIATE' }),
  ],
  startManagedDeployment: [put(`${managed}/advance`, { start: true })],
  refuseManagedDeployment: [put(`${managed}/cancel`, { start: false })],
  cancelWaitingStep: [
    put(`${gate}/cancel`, { override: false }),
    put(`${approval}/cancel`, { approved: false }),
    put(`${schedule}/cancel`, { cancel: true }),
    put(`${managed}/cancel`, { cancel: true }),
  ],
  cancelRunningStep: [put(`${build}/cancel`, { cancel: true })],
  readDefinition: [
    { url: `${program}/definition` },
    { url: `${program}/webhooks` },
    { url: `${program}/webhooks/deliveries` },
    { url: `${program}/webhook/nowhere` },
  ],
  editProgram: [
    { method: 'POST', url: '/api/programs', payload: {} },
    put(program, {}),
    { method: 'DELETE', url: '/api/program/999' },
  ],
  editEnvironment: [
    { method: 'POST', url: `${program}/environments`, payload: {} },
    put(`${program}/environment/999`, {}),
    { method: 'DELETE', url: `${program}/environment/999` },
  ],
  editPipeline: [
    { method: 'POST', url: `${program}/pipelines`, payload: {} },
    put(unknownPipeline, {}),
    { method: 'PATCH', url: unknownPipeline, payload: {} },
    { method: 'DELETE', url: unknownPipeline },
    { method: 'DELETE', url: `${unknownPipeline}/cache` },
  ],
  editWebhook: [
    { method: 'POST', url: `${program}/webhooks`, payload: {} },
    { method: 'POST', url: '/api/program/999/webhooks/replay', payload: {} },
    put(`${program}/webhook/nowhere`, {}),
    { method: 'DELETE', url: `${program}/webhook/nowhere` },
  ],
  setEmergency: [put('/api/program/999/emergency', { activated: true })],
  editVariables: [
    { method: 'PATCH', url: `${unknownPipeline}/variables`, payload: [] },
    { method: 'PATCH', url: `${program}/environment/999/variables`, payload: [] },
  ],
};

const nameOf = ({ method = 'GET', url, payload }: Request) =>
  [method, url, payload && JSON.stringify(payload)].filter(Boolean).join(' ');

/** Each row of the table of roles, asked through HTTP by each role, by all others together, and by none. */
export function describeRoles(on: ApiUnderTest): void {
  describe('who may do what', () => {
    before(async () => {
      await on.fairway.apply();
      const ofPipeline = (executionId: string) => ({ ...recorded, executionId });
      const atGate = waiting(executionAt('codeQuality', ofPipeline('0000000001')));
      const failing = [metric('coverage', 'important', false)];
      for (const state of [
        {
          ...atGate,
          steps: atGate.steps.map((one) => (one.status === 'WAITING' ? { ...one, metrics: failing } : one)),
        },
        waiting(executionAt('approval', ofPipeline('0000000002'))),
        waiting(executionAt('schedule', ofPipeline('0000000003'))),
        waiting(executionAt('managed', ofPipeline('0000000004'))),
        executionAt('build', ofPipeline('0000000005')),
      ])
        await keepRecord(on.fairway.storage, state);
    });

    const statuses = (operation: Operation, has: readonly string[]) =>
      Promise.all(
        requests[operation].map(async (request) => {
          const { statusCode, body } = await on.ask(request, { roles: has });
          assert.ok(statusCode < 500, `${nameOf(request)}: ${body}`);
          return `${nameOf(request)}: ${statusCode === 403 ? 'refused' : 'allowed'}`;
        }),
      );
    const all = (operation: Operation, answer: 'refused' | 'allowed') =>
      requests[operation].map((request) => `${nameOf(request)}: ${answer}`);

    for (const [operation, allowed] of Object.entries(permissions) as [Operation, readonly Role[]][])
      it(`${operation}: ${allowed.join(', ')}`, async () => {
        for (const role of roles) {
          const expected = allowed.includes(role) ? 'allowed' : 'refused';
          assert.deepEqual(await statuses(operation, [role, 'no-such-role']), all(operation, expected), role);
        }
        const others = roles.filter((role) => !allowed.includes(role));
        assert.deepEqual(await statuses(operation, others), all(operation, 'refused'), 'all others together');
        assert.deepEqual(await statuses(operation, []), all(operation, 'refused'), 'without a role');
      });
  });
}
