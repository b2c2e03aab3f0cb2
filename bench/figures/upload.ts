import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { run } from '../../src/systems/process.ts';
import { percentile, type Figure } from '../figure.ts';
import type { Uploaded } from '../uploader.ts';

const MIB = 2 ** 20;
const TIMES = 3;

/** The upload of a package as big as they come, over loopback to a server that throws it away; `curl` does the same in turn. */
export const upload: Figure = {
  name: 'upload',
  title: 'upload of 1 GiB against curl, and memory',
  runs: 1,
  async run({ smoke, folder, say }) {
    const mib = smoke ? 16 : 1024;
    const file = join(folder, 'big.zip');
    await write(file, mib);
    const sink = spawnNode('sink.ts');
    try {
      const [port] = (await once(sink.stdout!, 'data')) as [Buffer];
      const url = `http://127.0.0.1:${port.toString().trim()}`;
      const fairway: Uploaded[] = [];
      const curl: number[] = [];
      for (let n = 0; n < TIMES; n += 1) {
        curl.push(await byCurl(url, file));
        fairway.push(await byFairway(url, file));
      }
      const [own, peer] = [
        percentile(
          fairway.map(({ ms }) => ms),
          0.5,
        ),
        percentile(curl, 0.5),
      ];
      const growth = Math.max(...fairway.map(({ growthMib }) => growthMib));
      say(`${mib} MiB: Fairway ${Math.round(own)} ms, curl ${Math.round(peer)} ms`);
      return [
        { what: "throughput / curl's", value: peer / own, unit: '', goal: { atLeast: 0.9 } },
        { what: 'throughput', value: (mib * 1000) / own, unit: 'MiB/s' },
        { what: 'growth of memory', value: growth, unit: 'MiB', goal: { atMost: 64 } },
      ];
    } finally {
      sink.kill();
      await rm(file);
    }
  },
};

async function write(path: string, mib: number): Promise<void> {
  const file = await open(path, 'w');
  const block = randomBytes(MIB);
  for (let n = 0; n < mib; n += 1) await file.write(block);
  await file.close();
}

const at = (name: string) => join(import.meta.dirname, '..', name);
const spawnNode = (name: string): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', at(name)], { stdio: ['ignore', 'pipe', 'inherit'] });

async function byFairway(url: string, file: string): Promise<Uploaded> {
  const { code, stdout, stderr } = await run(process.execPath, [
    '--import',
    'tsx',
    at('uploader.ts'),
    url,
    file,
  ]);
  if (code !== 0) throw new Error(`the upload failed: ${stderr}`);
  return JSON.parse(stdout) as Uploaded;
}

/** In milliseconds, by its own measure. */
async function byCurl(url: string, file: string): Promise<number> {
  const { code, stdout, stderr } = await run('curl', [
    ...['-sSf', '-o', '/dev/null', '-w', '%{time_total}', '-u', 'admin:admin'],
    ...['-F', 'force=true', '-F', `package=@${file};type=application/zip`],
    `${url}/crx/packmgr/service/.json/?cmd=upload`,
  ]);
  if (code !== 0) throw new Error(`curl failed: ${stderr}`);
  return Number(stdout) * 1000;
}
