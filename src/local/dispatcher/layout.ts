import { chown, cp, mkdir, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../systems/failure.ts';
import type { User } from './httpd.ts';

const CONFIGURATION = ['conf', 'conf.d', 'conf.dispatcher.d', 'conf.modules.d'];

/** Where distributions put Apache's modules. */
const MODULES = [
  '/usr/lib/apache2/modules',
  '/usr/lib64/httpd/modules',
  '/usr/lib/httpd/modules',
  '/opt/homebrew/lib/httpd/modules',
  '/usr/libexec/apache2',
];

export interface Layout {
  readonly serverRoot: string;
  readonly docroot: string;
}

/**
 * Makes a server root like that of a dispatcher host in `folder`: configuration, `modules`, `logs`, `run`, and the
 * docroot beside it. The configuration of an earlier start stays, with what was deployed to it.
 * @param owner user that httpd runs as, where that is another one than ours
 */
export async function layOut(
  folder: string,
  configuration: string,
  modulePath: string,
  owner: User | undefined,
): Promise<Layout> {
  const serverRoot = join(folder, 'httpd');
  const docroot = join(folder, 'docroot');
  await copyConfiguration(configuration, serverRoot);
  await linkModules(join(serverRoot, 'modules'), modulePath);
  for (const writable of [join(serverRoot, 'logs'), join(serverRoot, 'run'), docroot]) {
    await mkdir(writable, { recursive: true });
    if (owner) await chown(writable, owner.uid, owner.gid);
  }
  return { serverRoot, docroot };
}

async function copyConfiguration(from: string, serverRoot: string): Promise<void> {
  if (await isFolder(serverRoot)) return;
  const part = `${serverRoot}.part`;
  await rm(part, { recursive: true, force: true });
  for (const name of CONFIGURATION) {
    if (!(await isFolder(join(from, name))))
      throw new Failure('Missing', `${from} is not a dispatcher configuration: there is no folder ${name}`);
    await cp(join(from, name), join(part, name), { recursive: true, verbatimSymlinks: true });
  }
  await rename(part, serverRoot);
}

async function linkModules(folder: string, modulePath: string): Promise<void> {
  let installed: string | undefined;
  for (const candidate of MODULES) if (!installed && (await isFolder(candidate))) installed = candidate;
  if (!installed)
    throw new Failure(
      'Missing',
      `Apache's modules are in none of ${MODULES.join(', ')}: install Apache httpd (Debian: apt-get install apache2)`,
    );
  const wanted = new Map((await readdir(installed)).map((name) => [name, join(installed, name)]));
  wanted.set('mod_dispatcher.so', modulePath);
  await mkdir(folder, { recursive: true });
  // What is right stays: an agent may test a configuration with these modules while its httpd is started again.
  for (const [name, module] of wanted) {
    const link = join(folder, name);
    if (!name.endsWith('.so') || (await readlink(link).catch(() => undefined)) === module) continue;
    await rm(link, { force: true });
    await symlink(module, link);
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
