import type { DeploymentProgress, LegState } from '../model/deployment.ts';
import type { ExecutionState, StepState } from '../model/execution.ts';
import { expectationOf, type Metric } from '../model/gates.ts';
import { answersTo } from './answers.ts';
import { clean, status, type Paint } from './output.ts';
import { duration, fromNow, localTime } from './times.ts';

/** An execution as people read it on a terminal: `show` prints it, `watch` redraws it. */

const marks: Readonly<Record<StepState['status'], string>> = {
  NOT_STARTED: '·',
  RUNNING: '▸',
  WAITING: '?',
  FINISHED: '✓',
  FAILED: '✗',
  ERROR: '✗',
  CANCELLED: '✗',
};

/** Says first of all that an execution runs in emergency mode, in the same words everywhere. */
export const emergency = (mode: ExecutionState['mode'], paint: Paint): string =>
  mode === 'EMERGENCY' ? `${status(paint, 'EMERGENCY')} · ` : '';

export function headline(state: ExecutionState, paint: Paint): string[] {
  const { executionId, programName, pipelineName, mode, branch, commit, startedBy } = state;
  const { artifactsVersion, reExecutes } = state;
  const took =
    state.finishedAt && ` after ${duration(Date.parse(state.finishedAt) - Date.parse(state.createdAt))}`;
  return [
    `${emergency(mode, paint)}${clean(programName)} · ${clean(pipelineName)} · execution ${paint('bold', executionId)}: ${status(paint, state.status)}${took ?? ''}`,
    paint(
      'dim',
      `${reExecutes ? `re-execution of ${reExecutes} · ` : ''}${clean(branch)}${commit ? ` at ${commit.slice(0, 10)}` : ''} · ` +
        `${artifactsVersion ? `version ${artifactsVersion} · ` : ''}started ${localTime(state.createdAt)} by ${clean(startedBy.subject)}`,
    ),
  ];
}

/** One line per step, by stage. */
export function stepLines(state: ExecutionState, paint: Paint, now = Date.now()): string[] {
  const lines: string[] = [];
  let stage: string | undefined;
  for (const step of state.steps) {
    if (step.stage !== stage) lines.push(paint('bold', (stage = step.stage)));
    lines.push(stepLine(step, paint, now));
  }
  return lines;
}

function stepLine(step: StepState, paint: Paint, now: number): string {
  if (step.notRun) return paint('dim', `  – ${step.title.padEnd(31)} not run: ${step.notRun}`);
  const took = step.startedAt
    ? duration((step.finishedAt ? Date.parse(step.finishedAt) : now) - Date.parse(step.startedAt))
    : '';
  const mark = status(paint, step.status, marks[step.status]);
  const state = status(paint, step.status, step.status.padEnd(11));
  return `  ${mark} ${step.title.padEnd(31)} ${state} ${took.padStart(8)}  ${clean(step.details ?? '')}`.trimEnd();
}

/** What is waited for, since when and until when, and how to decide. */
export function waitingLines(state: ExecutionState, paint: Paint): string[] {
  const { waitingFor, scheduledFor } = state;
  if (waitingFor)
    return [
      `${status(paint, 'WAITING', 'Waiting for a person')}: ${clean(waitingFor.question)}`,
      `  since ${localTime(waitingFor.since)}, until ${localTime(waitingFor.until)} (${fromNow(waitingFor.until)})`,
      ...answersTo(state).map((command) => `  ${paint('cyan', command)}`),
    ];
  if (scheduledFor)
    return [
      `Production deployment at ${localTime(scheduledFor.at, scheduledFor.timeZone)} (${fromNow(scheduledFor.at)})`,
      ...answersTo(state).map((command) => `  ${paint('cyan', command)}`),
    ];
  return [];
}

const failing = ({ passed }: Metric) => !passed;

export function metricLines(step: StepState, paint: Paint): string[] {
  return (step.metrics ?? []).filter(failing).map((metric) => {
    const what = `${metric.kpi} is ${metric.actualValue}, expected ${expectationOf(metric)} (${metric.severity})`;
    return paint(
      metric.override ? 'yellow' : 'red',
      `  ${step.title}: ${what}${metric.override ? ', accepted' : ''}`,
    );
  });
}

export function decisionLines({ decisions }: ExecutionState): string[] {
  return decisions.map(
    ({ at, by, what, comment }) =>
      `  ${localTime(at)}  ${clean(by.subject)} (${clean(by.via)}${by.verified ? '' : ', not verified'}): ${clean(what)}${comment ? ` — ${clean(comment)}` : ''}`,
  );
}

const isAmiss = (state: LegState): boolean => state === 'MIXED' || state === 'OUT';

/** Node by node. */
export function deploymentLines(deployment: DeploymentProgress, paint: Paint): string[] {
  const { environmentName, now, instances, dispatchers, legs, images = [], reconciled } = deployment;
  const node = (id: string, what: string) => `  ${id.padEnd(13)} ${what}`;
  return [
    `${paint('bold', clean(environmentName))}: ${clean(now)}`,
    ...reconciled.map((done) => `  made good: ${clean(done)}`),
    ...instances.map(({ id, packages }) =>
      node(id, packages.map(({ label, state }) => `${label} ${state}`).join(', ')),
    ),
    ...dispatchers.map(({ id, configuration, service }) =>
      node(
        id,
        `${service === 'in service' ? service : paint('yellow', service)}, configuration ${configuration}`,
      ),
    ),
    ...images.map(({ role, name, digest }) => node(role, clean(`${name}@${digest}`))),
    ...legs
      .filter(({ state, reason }) => isAmiss(state) || reason !== undefined)
      .map(({ name, state, reason }) =>
        paint(
          isAmiss(state) ? 'red' : 'yellow',
          `  leg ${name} is ${state}${reason ? `: ${clean(reason)}` : ''}`,
        ),
      ),
  ];
}

/** Everything that is worth reading about an execution. */
export function executionLines(state: ExecutionState, paint: Paint): string[] {
  const section = (title: string, lines: readonly string[]) =>
    lines.length > 0 ? ['', paint('bold', title), ...lines] : [];
  return [
    ...headline(state, paint),
    '',
    ...stepLines(state, paint),
    ...(state.failure ? ['', paint('red', `${state.failure.step}: ${clean(state.failure.message)}`)] : []),
    ...state.warnings.map((warning) => paint('yellow', `Note: ${clean(warning)}`)),
    ...blankBefore(waitingLines(state, paint)),
    ...section(
      'Below the gate',
      state.steps.flatMap((step) => metricLines(step, paint)),
    ),
    ...section('Decisions', decisionLines(state)),
    ...section(
      'Messages that changed nothing',
      state.ignoredMessages.map(
        ({ at, message, reason }) => `  ${localTime(at)}  ${message}: ${clean(reason)}`,
      ),
    ),
    ...state.deployments.flatMap((deployment) => ['', ...deploymentLines(deployment, paint)]),
  ];
}

const blankBefore = (lines: readonly string[]) => (lines.length > 0 ? ['', ...lines] : []);
