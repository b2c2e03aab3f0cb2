import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder for each test of the enclosing `describe`, removed after it. Call the result for its path. */
export function temporaryFolder(): () => string {
  let path: string | undefined;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'fairway-test-'));
  });
  afterEach(async () => {
    if (path) await rm(path, { recursive: true, force: true });
    path = undefined;
  });
  return () => {
    if (!path) throw new Error('a temporary folder exists only inside a test');
    return path;
  };
}
