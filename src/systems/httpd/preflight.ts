import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { DispatcherArtifact } from '../../model/artifacts.ts';
import { Failure, messageOf } from '../failure.ts';
import type { Storage } from '../storage/storage.ts';
import { configTest } from './config-test.ts';
import { checkDeployment, readJournal } from './journal.ts';
import { exists, unpackedPackage } from './package.ts';
import { withProtected } from './protected.ts';
import { pruneStaging } from './prune.ts';
import { askBaseline, listens } from './serving.ts';
import { configurationFolders, type HttpdSettings, type Log } from './settings.ts';
import { stage, testStaged } from './stage.ts';
import { bytesOf, listTree } from './tree.ts';

const SPARE_BYTES = 100 * 1024 ** 2;
const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MB`;

/**
 * Everything about a package that can be found out without changing the live configuration: full file set, space,
 * rights, Apache's config test of the result.
 * @throws Failure `InvalidArtifact`, `Rejected` with Apache's lines, `Missing` (space), `Denied` (rights)
 */
export async function preflight(
  given: HttpdSettings,
  storage: Storage,
  deployment: string,
  artifact: DispatcherArtifact,
  log: Log,
  signal?: AbortSignal,
): Promise<void> {
  checkDeployment(deployment);
  const settings = await withProtected(given, signal);
  await pruneStaging(settings, { deployment, sha256: artifact.file.sha256 });
  await mkdir(settings.stateFolder, { recursive: true, mode: 0o700 });
  const refuseWithout = async (bytes: number) => {
    const problems = await spaceProblems(settings, bytes + SPARE_BYTES);
    if (problems.length > 0) throw new Failure('Missing', problems.join('; '));
  };
  await refuseWithout(artifact.file.size);
  const folder = await unpackedPackage(settings, storage, artifact, log, signal);
  // Backup, staging and temporary files beside the live ones.
  await refuseWithout(2 * bytesOf(await listTree(settings.serverRoot)) + 2 * bytesOf(await listTree(folder)));
  const denied = await accessProblems(settings);
  if (denied.length > 0) throw new Failure('Denied', denied.join('; '));

  const staged = await stage(settings, deployment, folder, signal);
  for (const path of staged.changed) await log(`immutable, the package's change is ignored: ${path}`);
  for (const path of staged.unknown) await log(`immutable, not on this host, not written: ${path}`);
  const warnings = await testStaged(settings, staged, `the package ${artifact.path}`, signal);
  for (const line of warnings) await log(`apache: ${line}`);
  await log(`config test of ${artifact.path} in a staged copy: good`);
}

/** What would keep this host from taking a deployment, in sentences; nothing is changed but the state folder made. */
export async function checkHost(settings: HttpdSettings, signal?: AbortSignal): Promise<string[]> {
  const { serverRoot } = settings;
  if (!(await exists(serverRoot)))
    return [`there is no server root ${serverRoot}: check the agent's settings`];
  const problems: string[] = [];
  const note = (error: unknown) => problems.push(messageOf(error));
  try {
    await mkdir(settings.stateFolder, { recursive: true, mode: 0o700 });
    await readJournal(settings);
    const tree = await listTree(serverRoot);
    for (const folder of configurationFolders)
      if (!tree.has(folder)) problems.push(`there is no folder ${join(serverRoot, folder)}`);
    problems.push(...(await accessProblems(settings)), ...(await spaceProblems(settings, SPARE_BYTES)));
  } catch (error) {
    note(error);
  }
  await configTest(settings, serverRoot, `the live configuration in ${serverRoot}`, signal).catch(note);
  signal?.throwIfAborted();
  if (!(await listens(settings)))
    problems.push(`httpd is not running: nothing listens at ${settings.baseline.url}`);
  else {
    const { good, answer } = await askBaseline(settings, signal);
    if (!good) problems.push(`httpd does not serve ${settings.baseline.path} well: ${answer}`);
  }
  return problems;
}

async function spaceProblems(settings: HttpdSettings, needed: number): Promise<string[]> {
  const problems: string[] = [];
  for (const folder of [settings.serverRoot, settings.stateFolder]) {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    if (free < needed)
      problems.push(
        `${megabytes(free)} are free where ${folder} lies and ${megabytes(needed)} are needed: make room`,
      );
  }
  return problems;
}

async function accessProblems(settings: HttpdSettings): Promise<string[]> {
  const folders = [...(await listTree(settings.serverRoot))].filter(([, entry]) => entry.type === 'folder');
  const paths = [...folders.map(([path]) => join(settings.serverRoot, path)), settings.stateFolder];
  const problems: string[] = [];
  for (const path of paths) {
    const error = await access(path, constants.W_OK | constants.X_OK).catch((e: unknown) => e);
    if (error) problems.push(`the agent may not write to ${path}: give its user the right to`);
  }
  return problems;
}
