/*
 * `node scripts/run.mjs [FILE ARGS...]` runs a TypeScript file of this project, from a bare clone if need be: installs
 * the npm packages of package-lock.json when node_modules does not hold them, then runs the file, if one is named.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { withLock } from './lock.mjs';

const project = resolve(import.meta.dirname ?? '.', '..');
const [file, ...args] = process.argv.slice(2);
let forwarded = false;

requireNode(20, 19);
if (!packagesAreInstalled()) await installPackages();
if (file) process.exitCode = await runToItsEnd(file, args);

function requireNode(major, minor) {
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  fail(
    `Fairway needs Node.js ${major}.${minor} or later; this is ${process.versions.node} (${process.execPath}).`,
  );
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Whether npm's own record of what it installed agrees with the lock file. */
function packagesAreInstalled() {
  const wanted = packagesOf('package-lock.json');
  const installed = packagesOf('node_modules/.package-lock.json');
  if (!installed) return false;
  const same = (path) => installed[path]?.integrity === wanted[path]?.integrity;
  return (
    Object.entries(wanted).every(([path, entry]) => !path || entry.optional || same(path)) &&
    Object.keys(installed).every(same)
  );
}

function packagesOf(name) {
  try {
    return JSON.parse(readFileSync(join(project, name), 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function installPackages() {
  const cache = resolve(project, process.env.FAIRWAY_CACHE || '.cache');
  const waiting = () => console.log('Waiting for another process that installs the npm packages');
  await withLock(
    join(cache, 'locks', 'npm'),
    async () => {
      if (packagesAreInstalled()) return;
      const started = Date.now();
      console.log('Installing the npm packages (npm ci)');
      const { code, output } = await npmCi();
      if (code !== 0) {
        process.stderr.write(output);
        fail(`npm ci failed with exit code ${code}.`);
      }
      console.log(`Installed the npm packages in ${((Date.now() - started) / 1000).toFixed(0)} s`);
    },
    waiting,
  );
}

function npmCi() {
  return new Promise((done) => {
    const npm = spawn('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [npm.stdout, npm.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    npm.on('error', (error) => done({ code: 127, output: `cannot start npm: ${error.message}\n` }));
    npm.on('close', (code, signal) => done({ code: code ?? signal, output }));
    forwardSignals(npm);
  });
}

/**
 * A session of its own keeps the child out of reach of the terminal's Ctrl-C: it gets that signal from here, once,
 * however many of npm, the shell and the terminal send it. Where setpriv exists (Linux), the child is told to end
 * when this process is killed.
 */
function runToItsEnd(path, fileArgs) {
  const command = [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    resolve(project, path),
    ...fileArgs,
  ];
  const setpriv = findOnPath('setpriv');
  if (setpriv) command.unshift(setpriv, '--pdeathsig', 'TERM', '--');
  return new Promise((done) => {
    const child = spawn(command[0], command.slice(1), { stdio: 'inherit', detached: true });
    child.on('error', (error) => fail(`cannot start ${command[0]}: ${error.message}`));
    child.on('exit', (code, signal) => done(code ?? 128 + os.signals[signal]));
    forwardSignals(child);
  });
}

function forwardSignals(child) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      if (!forwarded) child.kill(signal);
      forwarded = true;
    });
}

function findOnPath(name) {
  const paths = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
