import { Pool } from 'undici';
import { percentile } from './figure.ts';

/* `requests.ts JSON`: asks one address again and again on some connections; says `Answered` as JSON. */

export interface Asked {
  readonly url: string;
  readonly token: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface Answered {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const { url, token, connections, seconds } = JSON.parse(process.argv[2] ?? '') as Asked;
const { origin, pathname, search } = new URL(url);
const pool = new Pool(origin, { connections });
const headers = { authorization: `Bearer ${token}` };

async function askUntil(deadline: number): Promise<number[]> {
  const times: number[] = [];
  while (performance.now() < deadline) {
    const begun = performance.now();
    const { statusCode, body } = await pool.request({ method: 'GET', path: pathname + search, headers });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${text.slice(0, 300)}`);
    times.push(performance.now() - begun);
  }
  return times;
}

const allFor = (ms: number) => {
  const deadline = performance.now() + ms;
  return Promise.all(Array.from({ length: connections }, () => askUntil(deadline)));
};

await allFor(1000); // connections and code are there
const begun = performance.now();
const times = (await allFor(seconds * 1000)).flat();
const perSecond = (times.length * 1000) / (performance.now() - begun);
console.log(
  JSON.stringify({ perSecond, p50: percentile(times, 0.5), p99: percentile(times, 0.99) } satisfies Answered),
);
await pool.close();
