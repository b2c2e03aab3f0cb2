import { z } from 'zod';
import type { Actor } from '../model/actor.ts';
import type { ExecutionState, StepState } from '../model/execution.ts';
import { gateSteps, type GateStep, type MessageName, type Messages } from '../model/messages.ts';
import { isCurrent } from './executions.ts';
import { Problem } from './problem.ts';
import type { Operation } from './roles.ts';

/** What the bodies of `advance` and `cancel` mean, step by step, and what one must be allowed to send them. */

export interface Decision<N extends MessageName = MessageName> {
  readonly operation: Operation;
  readonly message: N;
  readonly body: Omit<Messages[N], 'executionId' | 'by'>;
}

/** A decision of any one kind, its message and its body belonging together. */
type AnyDecision = { [N in MessageName]: Decision<N> }[MessageName];

const comment = z.string().max(2000).optional();
const approved = (value: boolean) => z.object({ approved: z.literal(value), comment });
const start = (value: boolean) => z.object({ start: z.literal(value), comment });
const schedule = z.discriminatedUnion('type', [
  z.object({ type: z.literal('IMMEDIATE') }),
  z.object({
    type: z.literal('SCHEDULED'),
    schedule: z.string().max(100),
    /** Not Cloud Manager's: the zone that the sender thinks in. */
    timeZone: z.string().min(1).max(100).default('UTC'),
  }),
]);
const overrides = z.object({
  metrics: z
    .array(z.object({ kpi: z.string().min(1).max(100), override: z.boolean() }))
    .min(1)
    .max(100),
  comment,
});

/** @throws Problem 400 for a body that does not answer what this step asks */
export function advancing(step: StepState, body: unknown): AnyDecision {
  const operation = 'advanceStep';
  if (step.id === 'approval')
    return { operation, message: 'approve', body: parsed(approved(true), body, '{"approved": true}') };
  if (step.id === 'managed')
    return {
      operation: 'startManagedDeployment',
      message: 'cseSupport',
      body: parsed(start(true), body, '{"start": true}'),
    };
  if (step.id === 'schedule') {
    const form = '{"type": "IMMEDIATE"} or {"type": "SCHEDULED", "schedule": "<ISO 8601>"}';
    const at = parsed(schedule, body, form);
    const time =
      at.type === 'IMMEDIATE' ? { at: 'NOW', timeZone: 'UTC' } : { at: at.schedule, timeZone: at.timeZone };
    return { operation, message: 'schedule', body: time };
  }
  if (isGate(step.id)) {
    const sent = parsed(overrides, body, '{"metrics": [{"kpi": "...", "override": true}]}');
    return { operation, message: 'override', body: { step: step.id, ...sent } };
  }
  throw new Problem(409, `step ${step.id} cannot be advanced: it waits for nobody`);
}

const cancels = z.union([
  z.object({ cancel: z.literal(true), reason: z.string().max(2000).optional() }),
  z.object({ approved: z.literal(false), comment }),
  z.object({ start: z.literal(false), comment }),
  z.object({ override: z.literal(false), comment }),
]);

/** @throws Problem 400 for a body that does not answer what this step asks, 409 when it is not the current step */
export function cancelling(state: ExecutionState, step: StepState, body: unknown): AnyDecision {
  const asked = parsed(
    cancels,
    body,
    '{"cancel": true}, {"approved": false}, {"start": false} or {"override": false}',
  );
  if (!isCurrent(state, step))
    throw new Problem(409, `step ${step.id} is ${step.status}, not running or waiting`);
  const waits = step.status === 'WAITING';
  const operation = waits ? 'cancelWaitingStep' : 'cancelRunningStep';
  if ('cancel' in asked) return { operation, message: 'cancel', body: { reason: asked.reason } };
  if ('approved' in asked && step.id === 'approval') return { operation, message: 'approve', body: asked };
  if ('start' in asked && step.id === 'managed')
    return { operation: 'refuseManagedDeployment', message: 'cseSupport', body: asked };
  if ('override' in asked && isGate(step.id) && waits) {
    const failing = (step.metrics ?? []).filter(
      ({ passed, severity }) => !passed && severity === 'important',
    );
    const metrics = failing.map(({ kpi }) => ({ kpi, override: false }));
    return { operation, message: 'override', body: { step: step.id, metrics, comment: asked.comment } };
  }
  throw new Problem(400, `this does not answer step ${step.id}; {"cancel": true} cancels the execution`);
}

const isGate = (id: string): id is GateStep => gateSteps.some((gate) => gate === id);

function parsed<T>(schema: z.ZodType<T>, body: unknown, form: string): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new Problem(400, `the body must be ${form}`);
}

export const messageBody = ({ body }: AnyDecision, by: Actor) => ({ ...body, by });
