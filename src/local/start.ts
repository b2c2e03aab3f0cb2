import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { Failure, messageOf } from '../systems/failure.ts';
import { pause } from '../systems/pause.ts';
import { VARIABLES_KEY } from '../systems/secret-variables.ts';
import { startApi, type LocalApi } from './api.ts';
import { probe } from './environment.ts';
import { startPlatform, type Platform } from './platform.ts';
import { rememberedPorts } from './ports.ts';

const HELP = `npm start [-- --folder FOLDER]

Brings up the local platform and keeps it running until Ctrl-C: Temporal with its Web UI, a stage and a production
environment, a git repository with the example site, a worker, and the Cloud Manager compatible API. What it knows stays
in the folder, so that the next start goes on where this one ended. Delete the folder to begin anew.

  --folder  where it keeps everything; .fairway in the project otherwise`;

const PROJECT = resolve(import.meta.dirname, '../..');
const began = Date.now();
const say = (line: string) =>
  console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { folder: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return console.log(HELP);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupted.abort(new Failure('Unavailable', `ended by ${signal}`)));
  const folder = resolve(values.folder ?? join(PROJECT, '.fairway'));
  await mkdir(folder, { recursive: true });
  const ports = rememberedPorts(join(folder, 'ports.json'));
  const platform = await startPlatform({
    folder,
    report: say,
    ports,
    apply: false,
    signal: interrupted.signal,
  });
  let api: LocalApi | undefined;
  try {
    api = await startApi(folder, platform, ports);
    say(`API: ${api.url}, log ${api.log}`);
    const files = await writeFiles(folder, platform, api);
    console.log(instructions(folder, platform, api, files).join('\n'));
    await untilTheEnd(platform, interrupted.signal);
  } finally {
    say('ending all processes');
    await api?.stop();
    await platform.stop();
    say(`ended; npm start goes on with what is in ${folder}`);
  }
}

interface Files {
  readonly settings: string;
  readonly definition: string;
}

/** What the `fairway` command needs to know of this platform, and the program to begin with. */
async function writeFiles(
  folder: string,
  { temporal, program, storageFolder, secretsFolder }: Platform,
  api: LocalApi,
): Promise<Files> {
  const settings = join(folder, 'config.json');
  const within = (path: string) => relative(folder, path);
  const content = {
    temporal: { address: temporal.address, namespace: 'default' },
    storage: within(storageFolder),
    secrets: within(secretsFolder),
    api: { url: api.url },
  };
  await writeFile(settings, `${JSON.stringify(content, null, 2)}\n`);
  await writeOnce(join(secretsFolder, VARIABLES_KEY), randomBytes(32).toString('base64'), 0o600);
  const definition = join(folder, 'fairway.yaml');
  const text = `# The example program on this machine, for: fairway apply -f\n${stringify({ programs: [program] }, { lineWidth: 0 })}`;
  // One that was changed by hand stays; one that names other ports is of no use any more.
  const earlier = await readFile(definition, 'utf8').catch(() => undefined);
  const addresses = program.environments.flatMap(({ author = [], publish = [], dispatchers = [] }) =>
    [...author, ...publish, ...dispatchers].map(({ url }) => url),
  );
  if (earlier !== undefined && !addresses.every((url) => earlier.includes(url))) {
    await rename(definition, `${definition}.before`);
    say(`ports have changed: ${definition} is written anew, the one before is ${definition}.before`);
  }
  await writeOnce(definition, text, 0o644);
  return { settings, definition };
}

async function writeOnce(file: string, text: string, mode: number): Promise<void> {
  await writeFile(file, text, { flag: 'wx', mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

function instructions(
  folder: string,
  platform: Platform,
  api: LocalApi,
  { settings, definition }: Files,
): string[] {
  const { temporal, stage, production, repository } = platform;
  const rows: [string, string][] = [
    ['Temporal', temporal.address],
    ['Web UI', temporal.uiUrl],
    ['API', `${api.url}, to read: ${api.url}/api/docs`],
    ...[stage, production].map(({ definition: { name }, loadBalancer }): [string, string] => [
      name,
      `curl -H 'Host: ${probe.host}' ${loadBalancer.url}${probe.path}`,
    ]),
    ['Repository', `${new URL(repository.url).pathname} (what you commit there is what an execution builds)`],
    ['State', `${folder} (stays when this ends)`],
  ];
  const here = relative(PROJECT, definition);
  const inProject = !here.startsWith('..');
  return [
    '',
    'The local platform is up, until Ctrl-C.',
    '',
    ...rows.map(([what, where]) => `  ${what.padEnd(12)}${where}`),
    '',
    `In another terminal, in ${PROJECT}:`,
    '',
    ...(inProject && folder === join(PROJECT, '.fairway') ? [] : [`  export FAIRWAY_CONFIG=${settings}`]),
    `  npx fairway apply -f ${inProject ? here : definition}`,
    '  npx fairway start Production --watch',
    '  npx fairway waiting              # in a third one: what is waited for, and how to decide',
    '  npx fairway --help',
    '',
    "Adobe's aio command, with its cloudmanager plugin, drives it as well:",
    '',
    '  eval "$(npx fairway token create --aio --role deployment-manager)"',
    '  aio cloudmanager:pipeline:create-execution --programId 1001 2001',
    '',
    `From elsewhere: export FAIRWAY_CONFIG=${settings}`,
    '',
  ];
}

/** Until a signal, or until the worker is gone: then nothing would go on any more. */
async function untilTheEnd(platform: Platform, signal: AbortSignal): Promise<void> {
  const forEver = pause(2 ** 31 - 1, signal).catch(() => undefined);
  const ended = await Promise.race([forEver, platform.worker().ended]);
  if (ended !== undefined && !signal.aborted)
    throw new Failure('NotReady', `the worker has ended (${ended}); its log is ${platform.workerLog}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Failure ? [error.message, ...error.details].join('\n  ') : messageOf(error));
  process.exitCode = 1;
});
