import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { request } from 'undici';
import { packageLabel } from '../../model/artifacts.ts';
import type { DeploymentProgress } from '../../model/deployment.ts';
import type { ExecutionState, StepState } from '../../model/execution.ts';
import { resultFile } from '../../model/result-files.ts';
import type { LoadResult } from '../../systems/load/http-load.ts';
import { probe, type LocalEnvironment } from '../environment.ts';
import { FIRST_VERSION } from '../first-release.ts';
import type { Platform } from '../platform.ts';
import { LEAST_PER_SECOND, LEAST_REQUESTS, versionIn, VISITOR } from './visitors.ts';

/** One thing that must be true of the demo. */
export interface Check {
  readonly what: string;
  readonly good: boolean;
}

/** What the demo promises of every pipeline, looked at in the real servers and in storage. */
export async function checks(platform: Platform, state: ExecutionState): Promise<Check[]> {
  const { stage, production, dev } = platform;
  const environments =
    state.pipelineId === platform.pipelineId ? [stage, production] : dev ? [dev.environment] : [];
  const served = await Promise.all(
    environments.map(async ({ definition, loadBalancer }) => {
      const version = await servedVersion(loadBalancer.url);
      return {
        what: `${definition.name} serves ${version}`,
        good: version !== undefined && version !== FIRST_VERSION,
      };
    }),
  );
  return [
    { what: `execution ${state.executionId} is ${state.status}`, good: state.status === 'FINISHED' },
    ...environments.map((environment) => ({
      what: `every package of the build is on every instance of ${environment.definition.name}`,
      good: everywhere(environment, state),
    })),
    ...served,
    ...(await imageChecks(platform, state)),
  ];
}

/** The images of a Cloud Service execution: archives in storage that are what the step says of them. */
async function imageChecks({ storageFolder }: Platform, { steps }: ExecutionState): Promise<Check[]> {
  const archives = steps
    .find(({ id }) => id === 'buildImage')
    ?.findings?.map(resultFile)
    .filter(({ kind }) => kind === 'image');
  return Promise.all(
    (archives ?? []).map(async ({ file: { key, sha256 } }) => ({
      what: `image ${basename(key, '.tar')} is in storage`,
      good: (await sha256Of(join(storageFolder, key))) === sha256,
    })),
  );
}

const sha256Of = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

/** The version that a visitor sees. */
async function servedVersion(url: string): Promise<string | undefined> {
  const { body } = await request(`${url}${probe.path}`, { headers: { host: probe.host } });
  return versionIn(await body.text());
}

/** Whether visitors noticed anything of the production deployment. */
export async function visitorChecks(
  { production }: Platform,
  state: ExecutionState,
  load: LoadResult,
  sent: { readonly from: number; readonly to: number },
): Promise<Check[]> {
  const deployment = state.deployments.find(
    ({ environmentId }) => environmentId === production.definition.id,
  );
  const versions = Object.keys(load.labels);
  const times = (deployment?.dispatchers ?? []).flatMap(({ detachedAt, attachedAt }) => [
    detachedAt,
    attachedAt,
  ]);
  const instants = times.map((time) => Date.parse(time ?? ''));
  const perSecond = load.perMinute / 60;
  return [
    {
      what: `${load.total} requests at ${perSecond.toFixed(0)}/s (at least ${LEAST_REQUESTS} at ${LEAST_PER_SECOND}/s)`,
      good: load.total >= LEAST_REQUESTS && perSecond >= LEAST_PER_SECOND,
    },
    { what: `failed ${load.failed}`, good: load.failed === 0 },
    {
      what: 'visitors came from before the first detach until after the last attach',
      good: instants.length > 0 && instants.every((instant) => instant > sent.from && instant < sent.to),
    },
    {
      what: `visitors saw ${versions.map((version) => `${version} (${load.labels[version]} times)`).join(' and ')}`,
      good: versions.length === 2 && versions.includes(FIRST_VERSION),
    },
    ...(await Promise.all(
      production.dispatchers.map(async ({ accessLog }, index) => {
        const name = production.definition.dispatchers[index]?.id ?? '';
        const met = await visitorsWhileOut(accessLog, name, deployment);
        return {
          what: `${name}, while it was out of service, met ${met ?? 'an unknown number of'} visitors`,
          good: met === 0,
        };
      }),
    )),
  ];
}

function everywhere({ author, publish }: LocalEnvironment, state: ExecutionState): boolean {
  const wanted = state.artifacts.flatMap((artifact) =>
    artifact.kind === 'aem' ? [packageLabel(artifact.package.id)] : [],
  );
  return (
    wanted.length > 0 &&
    [author, ...publish].every((instance) => {
      const there = instance.installed().map(packageLabel);
      return wanted.every((label) => there.includes(label));
    })
  );
}

/** Lines of the access log begin with the time in microseconds. */
async function visitorsWhileOut(
  accessLog: string,
  name: string,
  deployment: DeploymentProgress | undefined,
): Promise<number | undefined> {
  const progress = deployment?.dispatchers.find(({ id }) => id === name);
  if (!progress?.detachedAt || !progress.attachedAt) return undefined;
  const [from, to] = [Date.parse(progress.detachedAt), Date.parse(progress.attachedAt)];
  return (await readFile(accessLog, 'utf8')).split('\n').filter((line) => {
    const at = Number(line.split(' ', 1)[0]) / 1000;
    return line.includes(VISITOR) && at > from && at < to;
  }).length;
}

const seconds = ({ startedAt, finishedAt }: StepState) =>
  startedAt && finishedAt ? `${((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1)} s` : '';

/** The last page of the demo. */
export function summary(
  state: ExecutionState,
  load: LoadResult | undefined,
  all: readonly Check[],
): string[] {
  const emergency = state.mode === 'EMERGENCY' ? 'EMERGENCY · ' : '';
  return [
    '',
    `${emergency}Execution ${state.executionId}${state.artifactsVersion ? `, version ${state.artifactsVersion}` : ''}: ${state.status}`,
    ...state.steps.map(
      (step) =>
        `  ${step.title.padEnd(31)} ${(step.notRun ? `not run: ${step.notRun}` : step.status).padEnd(12)} ${seconds(step).padStart(8)}  ${step.notRun ? '' : (step.details ?? '')}`,
    ),
    '',
    ...state.deployments.flatMap(({ environmentName, instances, dispatchers }) => [
      ...instances.flatMap(({ id, packages }) =>
        packages.map(
          ({ label, state: s }) => `  ${environmentName.padEnd(11)} ${id.padEnd(12)} ${label} ${s}`,
        ),
      ),
      ...dispatchers.map(
        ({ id, configuration, service }) =>
          `  ${environmentName.padEnd(11)} ${id.padEnd(12)} configuration ${configuration}, ${service}`,
      ),
    ]),
    '',
    ...all.map(({ what, good }) => `  ${good ? 'ok    ' : 'NOT OK'} ${what}`),
    ...(load?.failures ?? []).map(({ at, path, failure }) => `         ${at} ${path}: ${failure}`),
    ...(load ? ['', `requests ${load.total}, failed ${load.failed}`] : []),
  ];
}
