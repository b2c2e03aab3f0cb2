import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from './failure.ts';

/** Gives the value of a secret where it is used. Values are never logged, stored or put into messages. */
export type Secrets = (name: string) => Promise<string>;

const NAME = /^[A-Z][A-Z0-9_]{0,60}$/;
const LARGEST = 64 * 1024;

/**
 * Secrets from the variable `FAIRWAY_SECRET_<NAME>`, else from a regular file `<folder>/<NAME>`, and from nowhere
 * else. One line break at the end of a file is not part of the value.
 * @throws Failure `InvalidInput` for a name of another form, `Missing` when there is no value
 */
export function secrets(sources: { readonly env: NodeJS.ProcessEnv; readonly folder?: string }): Secrets {
  return async (name) => {
    if (!NAME.test(name))
      throw new Failure(
        'InvalidInput',
        `${JSON.stringify(name.slice(0, 100))} is not the name of a secret: upper-case letters, digits and underscores`,
      );
    const variable = `FAIRWAY_SECRET_${name}`;
    const value = sources.env[variable] || (sources.folder && (await fromFile(join(sources.folder, name))));
    if (value) return value;
    const file = sources.folder
      ? `the file ${join(sources.folder, name)}`
      : `a file ${name} in a secrets folder (none is set)`;
    throw new Failure(
      'Missing',
      `there is no secret ${name}: set ${variable} or write ${file}, where this worker runs`,
    );
  };
}

async function fromFile(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  // A link could point at any file that the worker can read.
  if (!found?.isFile() || found.size > LARGEST) return undefined;
  return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
}
