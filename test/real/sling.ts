import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../src/local/ports.ts';
import { cacheFolder, prepare } from '../../src/local/setup/prepare.ts';
import { findSling } from '../../src/local/setup/sling.ts';
import { startSling, type Sling } from '../../src/local/sling.ts';

let running: Sling | undefined;
let folder = '';

/** The one Sling of a run, an author, which the tests share. */
export function sling(): Sling {
  if (!running) throw new Error('Sling runs only during the tests');
  return running;
}

before(async function () {
  this.timeout(900_000);
  folder = await mkdtemp(join(tmpdir(), 'fairway-sling-'));
  const { maven } = await prepare(['maven'], () => undefined);
  const files = await findSling(maven, { env: process.env, cache: cacheFolder(), report: console.log });
  const [port = 0] = await freePorts(1);
  running = await startSling({ files, folder, port, runMode: 'author' });
});

after(async function () {
  this.timeout(60_000);
  await running?.stop();
  await rm(folder, { recursive: true, force: true });
});
