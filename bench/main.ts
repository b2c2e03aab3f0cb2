import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from '../src/local/setup/prepare.ts';
import { messageOf } from '../src/systems/failure.ts';
import type { Figure, Measured } from './figure.ts';
import { api } from './figures/api.ts';
import { approvals } from './figures/approvals.ts';
import { burst } from './figures/burst.ts';
import { decisions } from './figures/decisions.ts';
import { events } from './figures/events.ts';
import { legs } from './figures/legs.ts';
import { parked } from './figures/parked.ts';
import { rolling } from './figures/rolling.ts';
import { steps } from './figures/steps.ts';
import { throughput } from './figures/throughput.ts';
import { upload } from './figures/upload.ts';
import { rowsOf, surroundings, table, type Row } from './report.ts';

/*
 * `npm run bench [-- NAME...] [--runs N] [--smoke] [--json]`: measures all figures, or those named. What they mean:
 * docs/performance.md.
 */

const figures: readonly Figure[] = [
  ...[steps, decisions, events, rolling, upload, throughput, parked, api],
  ...[legs, approvals, burst],
];
const NEEDS = ['temporal', 'apache2', 'apxs', 'cc', 'haproxy'] as const;

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean' }, smoke: { type: 'boolean' }, runs: { type: 'string' } },
  });
  const unknown = positionals.filter((name) => !figures.some((figure) => figure.name === name));
  if (unknown.length > 0) {
    const known = figures.map(({ name, title }) => `  ${name.padEnd(11)} ${title}`).join('\n');
    console.error(`There is no figure ${unknown.join(', ')}. There are\n${known}`);
    return 2;
  }
  const [loadBefore = 0] = loadavg();
  const say = (line: string) => console.error(line);
  const tools = await prepare(NEEDS, () => undefined);
  const smoke = values.smoke ?? false;
  const root = await mkdtemp(join(tmpdir(), 'fairway-bench-'));
  const rows: Row[] = [];
  let failed = false;
  try {
    for (const figure of figures.filter(
      ({ name }) => positionals.length === 0 || positionals.includes(name),
    )) {
      const count = smoke ? 1 : Number(values.runs ?? figure.runs);
      const runs: (readonly Measured[])[] = [];
      for (let n = 1; n <= count; n += 1) {
        say(`${figure.name}: run ${n} of ${count}`);
        const folder = join(root, `${figure.name}${n}`);
        await mkdir(folder);
        try {
          runs.push(await figure.run({ smoke, folder, say: (line) => say(`  ${line}`) }));
        } catch (error) {
          failed = true;
          say(`  failed: ${messageOf(error)}`);
        }
        await rm(folder, { recursive: true, force: true });
      }
      rows.push(...rowsOf(figure.name, runs));
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  const around = await surroundings(tools.temporal, loadBefore);
  console.log(values.json ? JSON.stringify({ ...around, smoke, rows }, null, 2) : table(around, rows));
  return failed ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
