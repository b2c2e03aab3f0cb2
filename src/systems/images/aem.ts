import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AemArtifact } from '../../model/artifacts.ts';
import { packageLabel } from '../../model/artifacts.ts';
import { orderPackages } from '../../model/package-order.ts';
import { Failure } from '../failure.ts';
import type { Storage } from '../storage/storage.ts';
import { listContents, type Content } from './contents.ts';

/** Below the folder that AEM is unpacked to; `CQ_RUNMODE` decides later whether it is an author or a publish. */
export const INSTALL_FOLDER = 'opt/aem/crx-quickstart/install';

/**
 * Lays the packages out as AEM's file installer takes them: in `crx-quickstart/install`, numbered in the order in which
 * their dependencies let them be installed. All go to author and publish; what is for one of them only stands in a
 * package in a folder of that run mode, as `install.author`.
 * @returns what lies in the folder, in order
 * @throws Failure `InvalidArtifact` for packages that cannot be put in an order, or that are not what was stored
 */
export async function layOutPackages(
  artifacts: readonly AemArtifact[],
  root: string,
  storage: Storage,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<Content[]> {
  const { order, problems } = orderPackages(artifacts);
  if (problems.length > 0)
    throw new Failure('InvalidArtifact', `the packages cannot be installed: ${problems.join('; ')}`, {
      details: problems,
    });
  await mkdir(join(root, INSTALL_FOLDER), { recursive: true });
  const contents: Content[] = [];
  for (const [index, artifact] of order.entries()) {
    const name = `${INSTALL_FOLDER}/${fileName(artifact, index)}`;
    await storage.fetch(artifact.file, join(root, name), signal);
    await chmod(join(root, name), 0o644);
    contents.push(await listContents(join(root, name), name, signal));
    log(`${name}: ${packageLabel(artifact.package.id)}`);
  }
  return contents;
}

function fileName({ package: { id } }: AemArtifact, index: number): string {
  const number = String(index + 1).padStart(3, '0');
  const name = [id.group.replaceAll('/', '.'), id.name].filter(Boolean).join('.');
  return `${number}-${name}-${id.version}.zip`.replace(/[^A-Za-z0-9._-]/g, '_');
}
