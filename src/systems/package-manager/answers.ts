import type { z } from 'zod';
import { Failure } from '../failure.ts';
import type { Question } from './http.ts';

/** A repository path as a part of a URL. */
export const encoded = (path: string) => path.split('/').map(encodeURIComponent).join('/');

/** A POST of text fields. */
export function form(path: string, fields: Record<string, string>, signal?: AbortSignal): Question {
  return {
    path,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
    signal,
  };
}

/** The JSON of an answer. @throws Failure `Unavailable` when it is none, or not of that form */
export function read<T>(schema: z.ZodType<T>, answer: string, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    value = undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Failure(
    'Unavailable',
    `${name} answers something that is not the package manager's: ${JSON.stringify(answer.slice(0, 100))}. Check the URL of the instance.`,
  );
}

/** In these words AEM says that it could not write a file. */
const DISK_FULL = /Inaccessible value|package file parameter missing|No space left on device/i;

/** A refusal in the server's own words, with what can be done about it where that is known. */
export function refused(name: string, what: string, details: readonly string[]): Failure {
  const said = details[0] || 'without a reason';
  return new Failure('Rejected', `${name} refused ${what}: ${said}${remedy(said)}`, { details });
}

/** The package is there, a part of it is not. */
export function importedWithErrors(name: string, path: string, problems: readonly string[]): Failure {
  return new Failure(
    'Damaged',
    `${name} installed ${path} with errors: ${problems[0] ?? 'AEM names none, see its error.log'}. Correct the package; what AEM could not import is missing there now.`,
    { details: problems },
  );
}

function remedy(said: string): string {
  if (DISK_FULL.test(said)) return '. Its disk is probably full: free space there.';
  if (said.includes('DependencyException'))
    return '. Deploy what is missing with this pipeline or install it there first.';
  return '';
}
