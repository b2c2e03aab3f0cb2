import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isS3 } from '../systems/storage/s3/place.ts';
import { Problem } from './problem.ts';

/** Where the command finds things, from a settings file; everything in it may be left out. */
export interface Settings {
  /** Which Temporal Service, where no profile and no `TEMPORAL_*` variable says so. */
  readonly address?: string;
  readonly namespace?: string;
  /** Folder of the storage, or `s3://BUCKET/PREFIX?...`: logs, results, artifacts and records of executions. */
  readonly storage?: string;
  /** Folder of the secrets, for `variables set --secret` and `doctor`. */
  readonly secrets?: string;
  /** Base URL of the API, for clients of it. */
  readonly apiUrl?: string;
  /** The file that said so; absent when there is none. */
  readonly file?: string;
}

const NAME = join('.fairway', 'config.json');
const known = ['temporal', 'storage', 'secrets', 'api'];

/**
 * The settings file named by `--config` or `FAIRWAY_CONFIG`, else the nearest `.fairway/config.json` in this folder
 * or one above it, as `npm start` writes it. Paths in it are relative to its folder.
 * @throws Problem `usage` for a file that is named and not there, or that cannot be understood
 */
export function readSettings(named: string | undefined, env: NodeJS.ProcessEnv, cwd: string): Settings {
  const explicit = named ?? (env['FAIRWAY_CONFIG'] || undefined);
  const file = explicit ? resolve(cwd, explicit) : nearest(cwd);
  if (!file) return {};
  if (explicit && !existsSync(file))
    throw new Problem(
      'usage',
      `there is no settings file ${file}`,
      `it was named by ${named ? '--config' : 'FAIRWAY_CONFIG'}`,
    );
  return { ...parse(file), file };
}

function nearest(folder: string): string | undefined {
  const file = join(folder, NAME);
  if (existsSync(file)) {
    // It decides where secrets are sent: a file that another user has put in our way does not count.
    const owner = statSync(file).uid;
    const me = process.getuid?.();
    if (me === undefined || me === 0 || owner === me || owner === 0) return file;
    throw new Problem(
      'usage',
      `${file} belongs to another user`,
      `name it with --config to use it all the same`,
    );
  }
  const above = dirname(folder);
  return above === folder ? undefined : nearest(above);
}

function parse(file: string): Settings {
  const wrong = (what: string) => new Problem('usage', `the settings file ${file} ${what}`);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw wrong(`cannot be read: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong('is not an object');
  const fields = json as Record<string, unknown>;
  const temporal = (fields['temporal'] ?? {}) as Record<string, unknown>;
  const api = (fields['api'] ?? {}) as Record<string, unknown>;
  const unknown = Object.keys(fields).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw wrong(`has an unknown field ${unknown[0]}; known are ${known.join(', ')}`);
  const text = (value: unknown, name: string) => {
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    throw wrong(`says something else than text for ${name}`);
  };
  const path = (name: 'storage' | 'secrets') => {
    const value = text(fields[name], name);
    return value === undefined || isS3(value) ? value : resolve(dirname(file), value);
  };
  return {
    address: text(temporal['address'], 'temporal.address'),
    namespace: text(temporal['namespace'], 'temporal.namespace'),
    storage: path('storage'),
    secrets: path('secrets'),
    apiUrl: text(api['url'], 'api.url'),
  };
}
