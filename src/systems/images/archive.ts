import { Failure } from '../failure.ts';
import { run } from '../process.ts';

/** Sorted, without times, owned by root: the same layout gives the same bytes. */
const SAME = [
  ...['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'],
  ...['--mode=u=rwX,go=rX', '--format=gnu'],
];

/**
 * Packs an OCI image layout into an OCI archive.
 * @throws Failure `Missing` without GNU tar, or with its words; the signal's reason
 */
export async function packLayout(layout: string, archive: string, signal?: AbortSignal): Promise<void> {
  const content = ['blobs', 'index.json', 'oci-layout'];
  const { code, stderr } = await run('tar', [...SAME, '-cf', archive, '-C', layout, ...content], {
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    signal,
  });
  if (code !== 0)
    throw new Failure('Missing', `tar cannot pack ${layout}: GNU tar and free space are needed`, {
      details: stderr.split('\n').filter(Boolean),
    });
}
