import { InvalidArgumentError } from 'commander';

/** Values that options of several commands take. */

export function httpUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('an http or https URL.');
}

export function name(text: string): string {
  if (/^[^\p{Cc}]{1,200}$/u.test(text) && text.trim() !== '') return text;
  throw new InvalidArgumentError('1 to 200 characters, none of them a control character.');
}
