import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program } from '../model/schema/definition.ts';
import { parseDefinitionFile } from './definition-file.ts';
import { FairwayError } from './fairway-error.ts';

/**
 * The programs that a definition file defines, or all files of a folder that end in .yaml, .yml or .json. Everything is
 * read before anything is refused.
 * @throws FairwayError `notFound` when there is no such file, `refused` with every problem of every file
 */
export async function readDefinitions(path: string): Promise<readonly Program[]> {
  const programs: { readonly file: string; readonly program: Program }[] = [];
  const refusals: FairwayError[] = [];
  for (const file of await filesAt(path)) {
    try {
      for (const program of parseDefinitionFile(await readFile(file, 'utf8'), file)) {
        const other = programs.find((known) => known.program.id === program.id);
        if (other)
          refusals.push(
            new FairwayError('refused', `program ${program.id} is defined in ${other.file} and in ${file}`),
          );
        programs.push({ file, program });
      }
    } catch (error) {
      if (!(error instanceof FairwayError)) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length === 0) return programs.map(({ program }) => program);
  throw new FairwayError(
    'refused',
    refusals.map(({ message }) => message).join('\n'),
    undefined,
    refusals.flatMap(({ problems }) => problems),
  );
}

async function filesAt(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new FairwayError('notFound', `there is no file or folder ${path}`);
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  if (names.length > 0) return names.map((name) => join(path, name));
  throw new FairwayError('notFound', `the folder ${path} holds no .yaml, .yml or .json file`);
}
