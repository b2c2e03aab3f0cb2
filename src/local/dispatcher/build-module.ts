import { createHash } from 'node:crypto';
import { access, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../systems/failure.ts';
import { run } from '../../systems/process.ts';

const SOURCES = fileURLToPath(new URL('module/', import.meta.url));
const REMEDY = 'install what builds Apache modules (Debian: apt-get install apache2-dev gcc)';

/**
 * Path of the dispatcher module for the local httpd nodes: the file that `FAIRWAY_MOD_DISPATCHER` names (Adobe's own
 * module), or else the stand-in, compiled into `cacheFolder` once for each state of its source.
 * @throws Failure `Missing` when the named file, apxs or a C compiler is not there, with the packages to install.
 */
export async function buildModule(cacheFolder: string): Promise<string> {
  const given = process.env.FAIRWAY_MOD_DISPATCHER;
  if (given) {
    if (await exists(given)) return given;
    throw new Failure('Missing', `FAIRWAY_MOD_DISPATCHER names ${given}, which is not a readable file`);
  }
  const sources = (await readdir(SOURCES)).filter((name) => /\.[ch]$/.test(name)).sort();
  const folder = join(cacheFolder, `mod_dispatcher-${process.arch}-${await hashOf(sources)}`);
  const module = join(folder, 'mod_dispatcher.so');
  if (await exists(module)) return module;

  await mkdir(cacheFolder, { recursive: true });
  const workshop = await mkdtemp(join(cacheFolder, 'building-'));
  try {
    for (const name of sources) await copyFile(join(SOURCES, name), join(workshop, name));
    await compile(
      workshop,
      // disp_apache2.c first: <IfModule> in the farms' vhosts asks for that name
      sources.filter((name) => name.endsWith('.c')),
    );
    await mkdir(folder, { recursive: true });
    await rename(join(workshop, '.libs', 'mod_dispatcher.so'), module);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  return module;
}

async function compile(folder: string, files: readonly string[]): Promise<void> {
  const args = ['-c', '-Wc,-Wall', '-n', 'dispatcher', '-o', 'mod_dispatcher.la', ...files];
  for (const program of ['apxs', 'apxs2']) {
    try {
      const { code, stdout, stderr } = await run(program, args, { cwd: folder });
      if (code === 0) return;
      const details = `${stdout}\n${stderr}`.split('\n').filter(Boolean).slice(-20);
      throw new Failure('Missing', `${program} cannot compile the dispatcher module: ${REMEDY}`, { details });
    } catch (error) {
      if (!(error instanceof Failure && error.message.startsWith('cannot start'))) throw error;
    }
  }
  throw new Failure('Missing', `there is no apxs to compile the dispatcher module with: ${REMEDY}`);
}

async function hashOf(names: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update(await readFile(join(SOURCES, name)));
  return hash.digest('hex').slice(0, 16);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
