import { posix } from 'node:path';
import type { ZipEntry } from './archive.ts';
import { printable } from './names.ts';

/** Links to links to links: more than this is a loop. */
const MAX_HOPS = 40;
/** Bytes; disks take 255, and a file on its way to its place has a longer name. */
const MAX_SEGMENT_BYTES = 240;

/**
 * What would go wrong when these entries are put on a disk together; undefined when nothing would. `targets` holds
 * what each link points at.
 */
export function layoutProblem(
  entries: readonly ZipEntry[],
  targets: ReadonlyMap<string, string>,
): string | undefined {
  const types = new Map<string, ZipEntry['type']>(entries.map(({ name, type }) => [name, type]));
  const spellings = new Map<string, string>();
  for (const { name } of entries) {
    if (name.split('/').some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES))
      return `entry ${printable(name)} has a file or folder name longer than ${MAX_SEGMENT_BYTES} bytes`;
    for (const path of [...parentsOf(name), name]) {
      const type = types.get(path);
      if (path !== name && type === 'link')
        return `entry ${printable(name)} would be written through the link ${printable(path)}`;
      if (path !== name && type === 'file')
        return `entry ${printable(name)} needs a folder where ${printable(path)} is a file`;
      types.set(path, type ?? 'folder');
      const key = path.normalize('NFC').toUpperCase().toLowerCase();
      const other = spellings.get(key) ?? path;
      if (other !== path)
        return `entries ${printable(other)} and ${printable(path)} differ in case or Unicode form only`;
      spellings.set(key, path);
    }
  }
  for (const [name, target] of targets) {
    const problem = linkProblem(name, target, types, targets);
    if (problem) return `link ${printable(name)} to ${printable(target)} ${problem}`;
  }
  return undefined;
}

function parentsOf(name: string): string[] {
  const segments = name.split('/').slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

/** Follows a link the way the operating system does, through other links. */
function linkProblem(
  name: string,
  target: string,
  types: ReadonlyMap<string, ZipEntry['type']>,
  targets: ReadonlyMap<string, string>,
): string | undefined {
  if (target === '' || /\p{Cc}|\\|\ufffd/u.test(target)) return 'has no usable target';
  if (target.startsWith('/')) return 'has an absolute target';
  let at = posix.dirname(name);
  let ahead = target.split('/');
  for (let hops = 0; ahead.length > 0;) {
    const [segment, ...rest] = ahead;
    ahead = rest;
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (at === '.') return 'leaves the folder';
      // Above a place that the zip does not hold, the host's own links would decide.
      if (types.get(at) !== 'folder')
        return `passes through ${printable(at)}, which is no folder of this zip`;
      at = posix.dirname(at);
      continue;
    }
    const next = posix.join(at, segment!);
    const link = targets.get(next);
    if (link === undefined) at = next;
    else if (link.startsWith('/')) return 'has an absolute target';
    else if ((hops += 1) > MAX_HOPS) return 'goes round in a circle';
    else ahead = [...link.split('/'), ...ahead];
  }
  return undefined;
}
