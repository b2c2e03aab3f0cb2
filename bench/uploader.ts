import { crxPackageManager } from '../src/systems/package-manager/crx.ts';

/* `uploader.ts URL FILE`: uploads as Fairway does; says `Uploaded` as JSON. */

export interface Uploaded {
  readonly ms: number;
  /** By how much resident memory grew, at most. */
  readonly growthMib: number;
}

const [url = '', file = ''] = process.argv.slice(2);
const manager = crxPackageManager({ url, credentials: 'admin:admin' });
await manager.upload(import.meta.filename); // connections and code are there
const before = process.memoryUsage.rss();
let most = before;
const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
const begun = performance.now();
await manager.upload(file);
const ms = performance.now() - begun;
clearInterval(watch);
console.log(JSON.stringify({ ms, growthMib: (most - before) / 2 ** 20 } satisfies Uploaded));
process.exit();
