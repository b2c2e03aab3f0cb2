#!/usr/bin/env node
/* The `fairway` command, from a clone: what is missing is installed first, TypeScript is run as it is. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const project = resolve(import.meta.dirname ?? '.', '..');

if (!existsSync(join(project, 'node_modules', '.package-lock.json'))) {
  // Its words go to standard error: standard output belongs to the command's answer.
  const { status } = spawnSync(process.execPath, [join(project, 'scripts', 'run.mjs')], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(5);
}
const { register } = await import('tsx/esm/api');
register();
const { main } = await import('../src/command/main.ts');
// A reader such as `head` that has enough is no error.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.exitCode = await main(process.argv.slice(2));
