import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import assert from 'node:assert/strict';
import { run } from '../../src/systems/process.ts';

const SIZE_KB = 400_000;

/** A file system in memory that can be made full, and emptied again. Needs root. */
export class SmallDisk {
  #path: string | undefined;

  /** @throws where this process may not mount: such a test must not be passed over in silence */
  async mount(path: string): Promise<void> {
    await mkdir(path, { recursive: true });
    const { code, stderr } = await run('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${SIZE_KB}k,mode=755`,
      'fairway',
      path,
    ]);
    assert.equal(code, 0, `this test needs root, to mount a small file system: ${stderr.trim()}`);
    this.#path = path;
    process.once('exit', this.#unmount);
  }

  /** Leaves so much free. */
  async fill(freeKb: number): Promise<void> {
    const { stdout } = await run('df', ['-k', '--output=used', this.#path ?? '']);
    await this.#resize(Number(stdout.trim().split('\n').at(-1)) + freeKb);
  }

  empty(): Promise<void> {
    return this.#resize(SIZE_KB);
  }

  async stop(): Promise<void> {
    process.off('exit', this.#unmount);
    this.#unmount();
  }

  async #resize(kb: number): Promise<void> {
    const { code, stderr } = await run('mount', ['-o', `remount,size=${kb}k`, this.#path ?? '']);
    assert.equal(code, 0, stderr);
  }

  /** Also while somebody still has a file open there. */
  readonly #unmount = (): void => {
    if (this.#path) spawnSync('umount', ['--lazy', this.#path]);
    this.#path = undefined;
  };
}
