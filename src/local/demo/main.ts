import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Start } from '../../model/program.ts';
import { Failure, messageOf } from '../../systems/failure.ts';
import { pause } from '../../systems/pause.ts';
import { platformActor, startPlatform, type Platform } from '../platform.ts';
import { FairwayError } from '../../client/fairway-error.ts';
import { people } from './people.ts';
import { progress } from '../../command/progress.ts';
import { checks, summary, visitorChecks } from './verdict.ts';
import { sendVisitors, type Visitors } from './visitors.ts';

const HELP = `npm run demo [-- --emergency | --cloud-service | --dev] [-- --keep]

Brings up a whole local platform and runs one production pipeline on it, from a git branch to a rolling production
deployment under real traffic. Exit code 0 only if nothing went wrong and no visitor noticed.

  --emergency      run in emergency mode: without security and performance tests
  --cloud-service  the Cloud Service flavour: images built with Buildah, functional tests
  --dev            run a pipeline that is not for production: it deploys to a dev environment; goes with --cloud-service
  --keep           leave the platform and its Web UI running afterwards, until Ctrl-C`;

const WATCH_MS = 200;
const VISITORS_BEFORE = 100;

const began = Date.now();
const say = (line: string) =>
  console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`);

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      emergency: { type: 'boolean' },
      'cloud-service': { type: 'boolean' },
      dev: { type: 'boolean' },
      keep: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return true;
  }
  const { emergency, dev, 'cloud-service': cloud } = values;
  if (emergency && (cloud || dev)) {
    console.error(
      'emergency mode is for production pipelines of Managed Services: leave out --emergency or the rest',
    );
    return false;
  }
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupted.abort(new Failure('Unavailable', `ended by ${signal}`)));

  const folder = await mkdtemp(join(tmpdir(), 'fairway-demo-'));
  let platform: Platform | undefined;
  try {
    const flavour = cloud ? 'aem_cloud_service' : 'aem_managed_services';
    platform = await startPlatform({ folder, report: say, flavour, dev, signal: interrupted.signal });
    const mode = emergency ? 'EMERGENCY' : 'NORMAL';
    const pipelineId = platform.dev?.pipelineId ?? platform.pipelineId;
    const good = await demonstrate(platform, { pipelineId, mode }, interrupted.signal);
    if (values.keep) {
      say(`the platform goes on until Ctrl-C: ${platform.temporal.uiUrl}`);
      await pause(2 ** 31 - 1, interrupted.signal).catch(() => undefined);
    }
    return good;
  } catch (error) {
    console.error(
      error instanceof Failure ? [error.message, ...error.details].join('\n  ') : messageOf(error),
    );
    return false;
  } finally {
    if (!interrupted.signal.aborted) say('ending all processes');
    await platform?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function demonstrate(
  platform: Platform,
  { pipelineId, mode }: Pick<Start, 'pipelineId' | 'mode'>,
  signal: AbortSignal,
): Promise<boolean> {
  const { client, program, temporal } = platform;
  await client.setEmergency(program.id, true, {
    ...platformActor,
    subject: 'carla, customer success engineer',
  });
  const started = await client.start({ programId: program.id, pipelineId, mode, by: platformActor });
  const { executionId, workflowId, runId } = started;
  say(
    `execution ${executionId} (${mode}): ${temporal.uiUrl}/namespaces/default/workflows/${workflowId}/${runId}/history`,
  );

  const address = { programId: program.id, pipelineId, executionId };
  const show = progress(say);
  const answer = people(client);
  let visitors: Visitors | undefined;
  let from = Date.now();
  try {
    for (;;) {
      signal.throwIfAborted();
      const state = await client.execution(address).catch((error: unknown) => {
        if (!(error instanceof FairwayError && error.kind === 'unavailable')) throw error;
        say(`no answer from Temporal in time, asking again: ${error.message}`);
      });
      if (!state) continue;
      show(state);
      if (state.finishedAt) {
        const load = await visitors?.finish();
        if (state.status !== 'FINISHED') {
          say(`the execution is ${state.status}: ${state.failure?.message ?? ''}`);
          console.log(await workerLog(platform));
        }
        const all = await checks(platform, state);
        if (load) all.push(...(await visitorChecks(platform, state, load, { from, to: Date.now() })));
        for (const line of summary(state, load, all)) console.log(line);
        return all.every(({ good }) => good);
      }
      if (state.waitingFor && !visitors) {
        from = Date.now();
        visitors = sendVisitors(platform.production.loadBalancer.url);
        say(`visitors begin to come to ${platform.production.loadBalancer.url}`);
      }
      if (visitors && visitors.answered() >= VISITORS_BEFORE) {
        const done = await answer(state);
        if (done) say(done);
      }
      await pause(WATCH_MS, signal);
    }
  } finally {
    await visitors?.stop();
  }
}

const workerLog = async ({ workerLog: file }: Platform) =>
  (await readFile(file, 'utf8')).trimEnd().split('\n').slice(-20).join('\n');

process.exitCode = (await main()) ? 0 : 1;
