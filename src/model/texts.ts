import type { DeploymentProgress } from './deployment.ts';
import type { ExecutionState, StepState } from './execution.ts';

/** What a person reads about an execution in the Web UI, as Markdown. Pure, so that it is tested without Temporal. */

const cell = (text: string | undefined) => (text ?? '').replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

/** `18:30:05` */
const timeOfDay = (iso: string | undefined) => iso?.slice(11, 19) ?? '';

/** `2026-11-22 18:30:05 UTC` */
export const readableTime = (iso: string | undefined): string =>
  iso ? `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC` : '';

/** Statuses that a reader should not miss. */
const striking: readonly StepState['status'][] = ['WAITING', 'FAILED', 'ERROR', 'CANCELLED'];

const statusText = ({ status, notRun }: StepState): string =>
  notRun ? 'not run' : striking.includes(status) ? `**${status}**` : status;

export function executionText(state: ExecutionState): string {
  const { mode, programName, pipelineName, executionId, status, waitingFor } = state;
  const { branch, configuredBranch, commit, artifactsVersion, reExecutes } = state;
  const lines = [
    `### ${mode === 'EMERGENCY' ? 'EMERGENCY · ' : ''}${programName} · ${pipelineName} · execution ${executionId}: ${status}`,
    `${reExecutes ? `Deploys execution ${reExecutes} to production again. ` : ''}Branch \`${branch}\`${configuredBranch ? ` (for this execution only; the pipeline's is \`${configuredBranch}\`)` : ''}${commit ? ` at \`${commit.slice(0, 10)}\`` : ''}${artifactsVersion ? `, version ${artifactsVersion}` : ''}, started ${readableTime(state.createdAt)} by ${cell(state.startedBy.subject)}`,
  ];
  if (waitingFor)
    lines.push(
      `**Waiting for a person: ${cell(waitingFor.question)}** until ${readableTime(waitingFor.until)}`,
    );
  if (state.scheduledFor)
    lines.push(
      `Production deployment at ${readableTime(state.scheduledFor.at)} (${cell(state.scheduledFor.timeZone)})`,
    );
  if (state.failure) lines.push(`**${state.failure.step}: ${cell(state.failure.message)}**`);
  for (const warning of state.warnings) lines.push(`⚠ ${cell(warning)}`);
  lines.push(
    [
      '| step | status | at (UTC) | details |',
      '|---|---|---|---|',
      ...stages(state.steps).flatMap(([stage, steps]) => [`| **${stage}** | | | |`, ...steps.map(stepRow)]),
    ].join('\n'),
  );
  if (state.decisions.length > 0)
    lines.push(
      state.decisions
        .map(
          ({ at, by, what, comment }) =>
            `- ${readableTime(at)} **${cell(by.subject)}** (${cell(by.via)}): ${cell(what)}${comment ? ` — ${cell(comment)}` : ''}`,
        )
        .join('\n'),
    );
  for (const deployment of state.deployments) lines.push(deploymentText(deployment));
  return lines.join('\n\n');
}

/** The steps by stage, in order. */
function stages(steps: readonly StepState[]): [StepState['stage'], StepState[]][] {
  const grouped: [StepState['stage'], StepState[]][] = [];
  for (const step of steps) {
    const last = grouped.at(-1);
    if (last?.[0] === step.stage) last[1].push(step);
    else grouped.push([step.stage, [step]]);
  }
  return grouped;
}

const stepRow = (step: StepState): string =>
  `| ${step.title} | ${statusText(step)} | ${timeOfDay(step.startedAt)} | ${cell(step.notRun ?? step.details)} |`;

export function deploymentText({
  environmentName,
  instances,
  dispatchers,
  legs,
  images = [],
  now,
  reconciled,
  remaining = [],
}: DeploymentProgress): string {
  return [
    `#### ${environmentName}: ${cell(now)}`,
    ...reconciled.map((done) => `- made good: ${cell(done)}`),
    ...remaining.map((left) => `- **not made good**: ${cell(left)}`),
    nodeTable(instances, dispatchers),
    images.map(({ role, name, digest }) => `- ${role}: \`${cell(name)}@${cell(digest)}\``).join('\n'),
    legs
      .map(({ name, state, reason }) => `- leg ${name}: **${state}**${reason ? ` (${cell(reason)})` : ''}`)
      .join('\n'),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** Empty where a cluster has its own. */
function nodeTable(
  instances: DeploymentProgress['instances'],
  dispatchers: DeploymentProgress['dispatchers'],
): string {
  if (instances.length + dispatchers.length === 0) return '';
  return [
    '| node | state | service |',
    '|---|---|---|',
    ...instances.map(
      ({ id, packages }) =>
        `| ${id} | ${cell(packages.map(({ label, state }) => `${label} ${state}`).join(', '))} | |`,
    ),
    ...dispatchers.map(
      ({ id, configuration, service }) => `| ${id} | configuration ${configuration} | ${service} |`,
    ),
  ].join('\n');
}
