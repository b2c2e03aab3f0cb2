import type { Secrets } from '../systems/secrets.ts';
import type { Storage } from '../systems/storage/storage.ts';

/** What most activities need. */
export interface Deps {
  readonly storage: Storage;
  readonly secret: Secrets;
}
