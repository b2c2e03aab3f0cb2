import { Failure } from '../../src/systems/failure.ts';
import { Harness } from '../workflows/harness.ts';
import {
  countByType,
  historiesFolder,
  readHistories,
  recorded,
  writeHistories,
  type Recorded,
} from './histories.ts';
import { scenarios, type Keep } from './recorded-scenarios.ts';
import { localEnvironment } from './temporal.ts';

/*
 * `npm run record-histories`: plays every scenario against the dev server and replaces the recorded histories that
 * test/workflows/replay.test.ts replays; with names of scenarios (`cloudService`) it plays those and adds what they
 * leave. When to do that: docs/development.md.
 */
const wanted = process.argv.slice(2);

async function record(): Promise<readonly Recorded[]> {
  const fairway = new Harness();
  // A program is continued as new after some thousand events; here after so few that it happens.
  await fairway.start(await localEnvironment(['limit.historyCount.suggestContinueAsNew=120']), 'recorder');
  const all: Recorded[] = [];
  const keep: Keep = async (name, workflowId, ending, runId) => {
    const handle = fairway.client.temporal.workflow.getHandle(workflowId, runId);
    const { type, status } = await handle.describe();
    if (status.name !== ending) throw new Error(`${type} ${name} is ${status.name}, not ${ending}`);
    all.push(recorded(`${type}-${name}`, await handle.fetchHistory()));
    console.log(`${type} ${name}: ${ending}, ${all.at(-1)?.history.events.length} events`);
  };
  try {
    for (const play of scenarios)
      if (wanted.length === 0 || wanted.includes(play.name)) await play(fairway, keep);
  } finally {
    await fairway.stop();
  }
  return all;
}

try {
  const all = await record();
  const isNew = ({ name }: Recorded) => all.every((known) => known.name !== name);
  const kept = wanted.length === 0 ? [] : (await readHistories()).filter(isNew);
  await writeHistories([...kept, ...all]);
  console.log(`${historiesFolder}: ${JSON.stringify(countByType([...kept, ...all]))}`);
} catch (error) {
  console.error(error instanceof Failure ? [error.message, ...error.details].join('\n  ') : error);
  process.exitCode = 1;
}
