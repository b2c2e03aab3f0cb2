import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Servers live here, and not every user has these folders on the PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The full path of a program, looked for as a shell does and then in the system folders. */
export const onPath = (name: string, path = process.env.PATH ?? ''): string | undefined =>
  [...path.split(delimiter), ...SYSTEM_FOLDERS]
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find(isExecutable);

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
