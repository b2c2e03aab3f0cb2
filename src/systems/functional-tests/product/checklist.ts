import { messageOf } from '../../failure.ts';
import { pause } from '../../pause.ts';
import type { TestCase, TestSuite } from '../junit.ts';

/** Why a test failed, for people. */
class Unmet extends Error {
  override readonly name = 'Unmet';
}

/** @throws what a test fails of, unless it is met */
export function require(met: boolean, otherwise: string): asserts met {
  if (!met) throw new Unmet(otherwise);
}

const AGAIN_MS = 200;

/** Tests one after the other, and what came of them. */
export class Checklist {
  readonly #cases: TestCase[] = [];
  readonly #say: (line: string) => void;
  readonly #signal: AbortSignal;
  /** How long is waited for what takes its time, in milliseconds. */
  readonly #patienceMs: number;

  constructor(say: (line: string) => void, signal: AbortSignal, patienceMs: number) {
    this.#say = say;
    this.#signal = signal;
    this.#patienceMs = patienceMs;
  }

  /**
   * Runs a test: it fails of whatever `work` throws.
   * @param unless why it cannot be run: it is skipped then
   * @returns whether it passed. @throws the signal's reason when it fired
   */
  async check(
    className: string,
    name: string,
    unless: string | undefined,
    work: () => Promise<void>,
  ): Promise<boolean> {
    const began = performance.now();
    const note = (outcome: TestCase['outcome'], message?: string) => {
      const seconds = (performance.now() - began) / 1000;
      this.#cases.push({ className: `product.${className}`, name, seconds, outcome, message });
      this.#say(`${outcome} ${className} ${name}${message === undefined ? '' : `: ${message}`}`);
      return outcome === 'passed';
    };
    if (unless !== undefined) return note('skipped', unless);
    try {
      await work();
      return note('passed');
    } catch (error) {
      this.#signal.throwIfAborted();
      return note('failed', messageOf(error));
    }
  }

  /** Repeats `work` until it is met, for as long as there is patience. @throws what it failed of last */
  async eventually(work: () => Promise<void>): Promise<void> {
    const until = Date.now() + this.#patienceMs;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (Date.now() >= until)
          throw new Unmet(`${messageOf(error)}, for ${this.#patienceMs / 1000} s`, { cause: error });
      }
      await pause(AGAIN_MS, this.#signal);
    }
  }

  get suite(): TestSuite {
    return { name: 'Product Functional Testing', cases: this.#cases };
  }
}
