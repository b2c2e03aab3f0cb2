import { Failure } from './failure.ts';

/**
 * Whether a branch may have this name: the rules of `git check-ref-format`, and no leading dash.
 */
export const isBranchName = (name: string): boolean =>
  name.length > 0 &&
  name.length <= 255 &&
  !/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\.lock(\/|$)|(^|\/)\.|\.$|\/$|^\/|^-|^@$/u.test(name);

export function checkBranch(name: string): void {
  if (!isBranchName(name))
    throw new Failure(
      'InvalidInput',
      `${JSON.stringify(name.slice(0, 255))} is not a valid name of a branch`,
    );
}

const HOST = String.raw`(\[[0-9a-fA-F:]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)`;
const ALLOWED = {
  https: new RegExp(String.raw`^https://${HOST}(:\d+)?/.+`),
  ssh: new RegExp(String.raw`^(ssh://([A-Za-z0-9._-]+@)?${HOST}(:\d+)?/.+|([A-Za-z0-9._]+@)${HOST}:[^-].*)`),
  file: /^file:\/\/\/.+/,
};

/**
 * Refuses every address of a repository but https, ssh (`ssh://` or `user@host:path`) and, where allowed, `file:///`.
 * Credentials in an address would end up in logs.
 */
export function checkRepository(url: string, allowFile: boolean): void {
  const shown = JSON.stringify(url.replace(/\/\/[^/@]*:[^/@]*@/, '//***@').slice(0, 200));
  if (/^https:\/\/[^/]*@/.test(url))
    throw new Failure(
      'InvalidInput',
      `the repository ${shown} has credentials in its address; put them into the worker's git configuration`,
    );
  const { https, ssh, file } = ALLOWED;
  const good = https.test(url) || ssh.test(url) || (allowFile && file.test(url));
  if (!good || /[\p{Cc}\s]/u.test(url))
    throw new Failure(
      'InvalidInput',
      `the repository ${shown} is not an https or ssh address${allowFile ? ' or a file:/// address' : ''}`,
    );
}

/** Branches whose names are probably meant, best first. */
export const nearMatches = (wanted: string, branches: readonly string[]): string[] =>
  branches
    .map((branch) => ({ branch, distance: distance(wanted.toLowerCase(), branch.toLowerCase()) }))
    .filter(
      ({ branch, distance: far }) =>
        far <= Math.max(2, wanted.length / 3) || branch.toLowerCase().includes(wanted.toLowerCase()),
    )
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ branch }) => branch);

/** Levenshtein's: how many characters to insert, remove or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries())
      next.push(
        Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (left === right ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
