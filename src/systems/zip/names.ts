/** Bytes; longer names do not fit into the paths of every system that they end up on. */
export const MAX_NAME_BYTES = 1000;

/** A name from a stranger, safe to show: control and other invisible characters escaped, long ones shortened. */
export function printable(name: string): string {
  const shown = name.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (found) => `\\u{${found.codePointAt(0)!.toString(16)}}`,
  );
  return `"${shown.length > 200 ? `${shown.slice(0, 200)}...` : shown}"`;
}

/** What is wrong with the name of an entry by itself; undefined when nothing is. */
export function nameProblem(name: string): string | undefined {
  if (name === '' || name === '/') return 'has no name';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `has a name longer than ${MAX_NAME_BYTES} bytes`;
  if (name.includes('\ufffd')) return 'has a name that is not valid UTF-8';
  if (/\p{Cc}/u.test(name)) return 'has a control character in its name';
  if (name.includes('\\')) return 'has a backslash in its name';
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) return 'has an absolute path';
  const segments = name.replace(/\/$/, '').split('/');
  if (segments.includes('..')) return 'has ".." in its path';
  if (segments.includes('.') || segments.includes('')) return 'has an empty or "." segment in its path';
  return undefined;
}
