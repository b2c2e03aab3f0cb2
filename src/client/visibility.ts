import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { ExecutionStatus } from '../model/execution.ts';
import { isStepId, type ExecutionMode } from '../model/steps.ts';
import type { ExecutionSummary } from '../model/summary.ts';
import { QUERY_MS, type Calls } from './calls.ts';
import type { ExecutionFilter } from './executions.ts';

/** What the program entity notes down about each execution that it starts. */
export type ExecutionMemo = Pick<
  ExecutionSummary,
  | 'executionId'
  | 'trigger'
  | 'mode'
  | 'startedBy'
  | 'programName'
  | 'pipelineName'
  | 'pipelineType'
  | 'branch'
>;

/** Ended from outside, so that they could not say how. */
const CUT_SHORT = ['Terminated', 'TimedOut'];
const MOST = 10_000;

/** Executions that Temporal knows, in no certain order; `window` bounds when they started. */
export async function visibleExecutions(
  calls: Calls,
  filter: ExecutionFilter,
  window: { readonly after?: string; readonly before?: string } = {},
): Promise<ExecutionSummary[]> {
  const conditions = [
    'WorkflowType = "pipelineExecution"',
    filter.programId && `FairwayProgram = ${quoted(filter.programId)}`,
    filter.pipelineId && `FairwayPipeline = ${quoted(filter.pipelineId)}`,
    filter.executionId && `FairwayExecution = ${quoted(filter.executionId)}`,
    filter.mode && `FairwayMode = ${quoted(filter.mode)}`,
    filter.status && statusIs(filter.status),
    filter.waitingFor === 'anything' && 'ExecutionStatus = "Running" AND FairwayWaiting != "nobody"',
    filter.waitingFor &&
      filter.waitingFor !== 'anything' &&
      `ExecutionStatus = "Running" AND FairwayWaiting = ${quoted(filter.waitingFor)}`,
    window.after && `StartTime >= ${quoted(window.after)}`,
    window.before && `StartTime <= ${quoted(window.before)}`,
  ];
  const query = conditions.filter(Boolean).join(' AND ');
  return calls.within(QUERY_MS, 'executions', false, async () => {
    const found: ExecutionSummary[] = [];
    for await (const info of calls.temporal.workflow.list({ query, pageSize: 500 })) {
      const summary = summaryOf(info);
      if (summary) found.push(summary);
      if (found.length >= MOST) break;
    }
    return found;
  });
}

const statusIs = (status: ExecutionStatus): string => {
  const own = `FairwayStatus = ${quoted(status)}`;
  const cut = CUT_SHORT.map((ended) => `ExecutionStatus = "${ended}"`).join(' OR ');
  if (status === 'RUNNING' || status === 'CANCELLING') return `${own} AND ExecutionStatus = "Running"`;
  return status === 'ERROR' ? `(${own} OR ${cut})` : own;
};

const quoted = (value: string): string => `"${value.replaceAll(/[^A-Za-z0-9_:.-]/g, '')}"`;

/** Undefined for what carries no notes of its program: it was refused, or is none of ours. */
function summaryOf(info: WorkflowExecutionInfo): ExecutionSummary | undefined {
  const memo = info.memo as Partial<ExecutionMemo> | undefined;
  const attributes = new Map(
    info.typedSearchAttributes.getAll().map(({ key, value }): [string, unknown] => [key.name, value]),
  );
  const text = (name: string) => {
    const value = attributes.get(name);
    return typeof value === 'string' ? value : '';
  };
  if (!memo?.executionId || !memo.startedBy) return undefined;
  const cut = CUT_SHORT.includes(info.status.name === 'TIMED_OUT' ? 'TimedOut' : capital(info.status.name));
  const [step, waitingFor, until] = [
    text('FairwayStep'),
    text('FairwayWaiting'),
    attributes.get('FairwayDeadline'),
  ];
  return {
    executionId: memo.executionId,
    programId: text('FairwayProgram'),
    programName: memo.programName ?? '',
    pipelineId: text('FairwayPipeline'),
    pipelineName: memo.pipelineName ?? '',
    pipelineType: memo.pipelineType ?? 'production',
    trigger: memo.trigger ?? 'MANUAL',
    mode: (memo.mode ?? 'NORMAL') satisfies ExecutionMode,
    status: cut ? 'ERROR' : (text('FairwayStatus') as ExecutionStatus),
    branch: memo.branch ?? '',
    startedBy: memo.startedBy,
    createdAt: info.startTime.toISOString(),
    finishedAt: info.closeTime?.toISOString(),
    ...(isStepId(step) ? { step } : {}),
    ...(isStepId(waitingFor) && until instanceof Date && info.status.name === 'RUNNING'
      ? { waitingFor: { step: waitingFor, until: until.toISOString() } }
      : {}),
    ...(cut && isStepId(step)
      ? { failure: { step, message: `ended from outside (${info.status.name})` } }
      : {}),
  };
}

const capital = (word: string) => word.charAt(0) + word.slice(1).toLowerCase();
