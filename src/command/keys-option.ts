import { dirname, join, resolve } from 'node:path';
import { Option } from 'commander';
import { Problem } from './problem.ts';
import type { Session } from './session.ts';

export const keysOption = (
  what = 'key set that signs tokens and links (FAIRWAY_API_KEYS); else api-keys.json beside the settings file',
) => new Option('--keys <file>', what);

/** Where the key set is, or is to be. @throws Problem `usage` when nothing says so */
export function keysFile({ io, settings }: Session, named: string | undefined): string {
  const explicit = named ?? (io.env['FAIRWAY_API_KEYS'] || undefined);
  if (explicit) return resolve(io.cwd(), explicit);
  if (settings.file) return join(dirname(settings.file), 'api-keys.json');
  throw new Problem(
    'usage',
    'nothing says where the key set is',
    'name a file with --keys; it is made if it is not there',
  );
}
