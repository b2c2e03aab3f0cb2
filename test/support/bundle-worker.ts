import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const project = resolve(import.meta.dirname, '../..');

/** The killable worker as one file of plain JavaScript: one that is started a hundred times should start quickly. */
export async function bundleWorker(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  // Below node_modules, where the packages that stay outside are found.
  const folder = join(project, 'node_modules/.cache');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `killable-worker-${process.pid}.mjs`);
  await build({
    entryPoints: [join(project, 'test/support/killable-worker.ts')],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    // What looks for files beside itself does so from two folders below the project, as it would unbundled.
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(project, 'src/worker/bundle.js')).href) },
  });
  return { path, remove: () => rm(path, { force: true }) };
}
