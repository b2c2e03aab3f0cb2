import type { temporal } from '@temporalio/proto';
import proto from '@temporalio/proto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/*
 * Recorded histories: `<workflow type>-<what happened>.json.gz` in Temporal's own JSON form, beside
 * `expected-counts.json`, the number of histories by workflow type.
 */

type History = temporal.api.history.v1.IHistory;

/**
 * Temporal's JSON form by protobufjs, of the very copy that the messages are defined with. The SDK's `historyToJSON`
 * does the same, but fails where npm installs that library more than once.
 */
const messages = proto as unknown as { lookupType(name: string): object };
const fromProto = createRequire(createRequire(import.meta.url).resolve('@temporalio/proto'));
const { toJson, fromJson } = fromProto('protobufjs/ext/protojson') as {
  toJson: (type: object, message: object) => unknown;
  fromJson: (type: object, json: unknown, options: { ignoreUnknownFields: true }) => History;
};
const historyType = messages.lookupType('temporal.api.history.v1.History');

const project = resolve(import.meta.dirname, '../..');
export const historiesFolder = join(project, 'test/histories/v1');
const countsFile = join(historiesFolder, 'expected-counts.json');
const SUFFIX = '.json.gz';

/** As much of the JSON form as tests look at. */
export interface RecordedEvent {
  eventType: string;
  workflowExecutionStartedEventAttributes?: { workflowId: string; workflowType: { name: string } };
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
  [field: string]: unknown;
}

export interface Recorded {
  /** Without `.json.gz`. */
  readonly name: string;
  readonly history: { readonly events: RecordedEvent[] };
}

/** What a worker replays. */
export const historyOf = ({ history }: Recorded): History =>
  fromJson(historyType, history, { ignoreUnknownFields: true });

export type Counts = Record<string, number>;

const startOf = ({ history, name }: Recorded) => {
  const started = history.events[0]?.workflowExecutionStartedEventAttributes;
  if (!started) throw new Error(`${name} does not begin with the start of a workflow`);
  return started;
};
export const workflowTypeOf = (recorded: Recorded): string => startOf(recorded).workflowType.name;
export const workflowIdOf = (recorded: Recorded): string => startOf(recorded).workflowId;

export function countByType(all: readonly Recorded[]): Counts {
  const counts: Counts = {};
  for (const type of all.map(workflowTypeOf).sort()) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

export async function readHistories(): Promise<readonly Recorded[]> {
  const files = (await readdir(historiesFolder)).filter((file) => file.endsWith(SUFFIX)).sort();
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -SUFFIX.length),
      history: JSON.parse(
        gunzipSync(await readFile(join(historiesFolder, file))).toString(),
      ) as Recorded['history'],
    })),
  );
}

export const readExpectedCounts = async (): Promise<Counts> =>
  JSON.parse(await readFile(countsFile, 'utf8')) as Counts;

/** Replaces every recorded history. */
export async function writeHistories(all: readonly Recorded[]): Promise<void> {
  await rm(historiesFolder, { recursive: true, force: true });
  await mkdir(historiesFolder, { recursive: true });
  for (const { name, history } of all)
    await writeFile(join(historiesFolder, name + SUFFIX), gzipSync(JSON.stringify(history), { level: 9 }));
  await writeFile(countsFile, `${JSON.stringify(countByType(all), null, 2)}\n`);
}

/**
 * A history in its JSON form, without stack traces: they hold the paths of one machine, and no replay looks at them.
 * @throws when anything else in it names this machine.
 */
export function recorded(name: string, history: History): Recorded {
  const json = JSON.parse(JSON.stringify(toJson(historyType, history)), (key, value: unknown) =>
    key === 'stackTrace' ? undefined : value,
  ) as Recorded['history'];
  const traces = namesOfMachine({ name, history: json }, [project, `@${hostname()}`]);
  if (traces.length > 0) throw new Error(`history ${name} names this machine: ${traces.join(', ')}`);
  return { name, history: json };
}

/** Which of these words occur in a history, in clear or inside a payload. */
export function namesOfMachine({ history }: Recorded, words: readonly string[]): readonly string[] {
  let text = '';
  JSON.stringify(history, (key, value: unknown) => {
    if (typeof value === 'string')
      text += `${value}\n${key === 'data' ? Buffer.from(value, 'base64').toString() : ''}\n`;
    return value;
  });
  return words.filter((word) => text.includes(word));
}
