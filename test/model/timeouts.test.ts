import assert from 'node:assert/strict';
import { gateSteps } from '../../src/model/messages.ts';
import { stepsOf } from '../../src/model/steps.ts';
import { timeoutDays, timeoutMs, type WaitingStep } from '../../src/model/timeouts.ts';

const DAY = 24 * 60 * 60 * 1000;
const waiting = Object.keys(timeoutDays) as WaitingStep[];

describe('time-outs of steps that wait for a person', () => {
  it('are 7 days for each of the six steps', () => {
    assert.deepEqual(waiting, [
      'codeQuality',
      'securityTest',
      'reportPerformanceTest',
      'approval',
      'schedule',
      'managed',
    ]);
    for (const step of waiting) assert.equal(timeoutMs(step, {}), 7 * DAY, step);
  });

  it('can be set one by one, also to parts of a day; the others keep theirs', () => {
    assert.equal(timeoutMs('approval', { approval: 2 }), 2 * DAY);
    assert.equal(timeoutMs('approval', { approval: 0.5 }), 12 * 60 * 60 * 1000);
    assert.equal(timeoutMs('schedule', { approval: 2 }), 7 * DAY);
  });

  it('exist for every gate, and only for steps that a pipeline can have', () => {
    const steps = stepsOf({
      flavour: 'aem_managed_services',
      pipeline: { type: 'production', approval: true, schedule: true, cse: 'ANY_CSE' },
      mode: 'NORMAL',
    }).map(({ id }) => id);
    assert.deepEqual(
      waiting.filter((step) => !steps.includes(step)),
      [],
    );
    assert.deepEqual(
      gateSteps.filter((step) => !waiting.includes(step)),
      [],
    );
  });
});
