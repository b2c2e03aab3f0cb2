import { readFileSync } from 'node:fs';

/** The version of Fairway that runs. */
export const fairwayVersion = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
