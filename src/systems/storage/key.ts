import { Failure } from '../failure.ts';

const LONGEST_KEY = 1_000;
/**
 * What a storage keeps for itself: no name in a key ends so. It stays, and so tells a storage from the empty folder that a
 * mount leaves when it is away. A folder holds uploads on their way in it.
 */
export const MARK = '.fairway-storage';

/** The names in a key. @throws Failure `InvalidInput` for a key that is not a plain relative path */
export function namesOf(key: string): string[] {
  const names = key.split('/');
  const bad =
    key.length > LONGEST_KEY ||
    // Control characters would break logs and listings; a backslash is a separator elsewhere.
    /[\p{Cc}\\]/u.test(key) ||
    names.some((name) => !name || name === '.' || name === '..' || name.endsWith(MARK));
  if (bad)
    throw new Failure('InvalidInput', `${JSON.stringify(key.slice(0, 200))} is not a valid key in storage`);
  return names;
}
