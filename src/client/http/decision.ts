import type { MessageName, Messages } from '../../model/messages.ts';
import type { StepId } from '../../model/steps.ts';
import type { Body } from '../fairway-client.ts';

/** A decision as a request of Cloud Manager's API. */
export interface DecisionRequest {
  /** The step that it answers; `current`: whichever runs or waits. */
  readonly step: StepId | 'current';
  readonly way: 'advance' | 'cancel';
  readonly sent: object;
  /** What it means, for people. */
  readonly accepted: string;
}

type Requests = { [N in MessageName]: (body: Omit<Messages[N], 'executionId'>) => DecisionRequest };

const requests: Requests = {
  approve: ({ approved, comment }) => ({
    ...{ step: 'approval', way: approved ? 'advance' : 'cancel', sent: { approved, comment } },
    accepted: approved ? 'approved' : 'rejected',
  }),
  schedule: ({ at, timeZone }) => ({
    ...{ step: 'schedule', way: 'advance' },
    sent: at === 'NOW' ? { type: 'IMMEDIATE' } : { type: 'SCHEDULED', schedule: at, timeZone },
    accepted: at === 'NOW' ? 'scheduled for now' : `scheduled for ${at}`,
  }),
  cseSupport: ({ start, comment }) => ({
    ...{ step: 'managed', way: start ? 'advance' : 'cancel', sent: { start, comment } },
    accepted: start ? 'started' : 'refused',
  }),
  override: ({ step, metrics, comment }) =>
    metrics.every(({ override }) => override)
      ? { step, way: 'advance', sent: { metrics, comment }, accepted: 'accepted' }
      : { step, way: 'cancel', sent: { override: false, comment }, accepted: 'rejected' },
  cancel: ({ reason }) => ({
    ...{ step: 'current', way: 'cancel', sent: { cancel: true, reason }, accepted: 'cancelling' },
  }),
};

export const decisionRequest = <N extends MessageName>(name: N, body: Body<N>): DecisionRequest =>
  requests[name](body);
