import { Failure, messageOf } from '../systems/failure.ts';

/** Characters of a value that tell nothing of it. */
const TELLING = 4;

/**
 * Replaces values that nobody is to read, and the beginning of one where the text ends in it: long lines are cut. Longer
 * values first, as one may be a part of another.
 */
export function hiding(values: readonly string[]): (text: string) => string {
  const sorted = values.filter(Boolean).sort((a, b) => b.length - a.length);
  return (line) =>
    sorted.reduce((shown, value) => withoutCutEnd(shown.replaceAll(value, '***'), value), line);
}

function withoutCutEnd(text: string, value: string): string {
  if (value.length <= TELLING) return text;
  const beginning = value.slice(0, TELLING);
  for (
    let at = text.indexOf(beginning, Math.max(0, text.length - value.length));
    at >= 0;
    at = text.indexOf(beginning, at + 1)
  )
    if (value.startsWith(text.slice(at))) return `${text.slice(0, at)}***`;
  return text;
}

/** What of `user:password` nobody is to read: the password, and how a client shows both that logs its headers. */
export const secretsOf = (account: string): string[] => {
  const password = account.slice(account.indexOf(':') + 1);
  return password ? [password, Buffer.from(account).toString('base64')] : [];
};

/** A failure without those values. */
export const hidden = ({ type, message, details, cause }: Failure, hide: (text: string) => string): Failure =>
  new Failure(type, hide(message), {
    details: details.map(hide),
    cause: cause && new Error(hide(messageOf(cause))),
  });
