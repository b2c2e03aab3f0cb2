import { Failure, messageOf } from '../systems/failure.ts';

/** Replaces values that nobody is to read; longer ones first, as one may be a part of another. */
export function hiding(values: readonly string[]): (text: string) => string {
  const sorted = values.filter(Boolean).sort((a, b) => b.length - a.length);
  return (line) => sorted.reduce((shown, value) => shown.replaceAll(value, '***'), line);
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
