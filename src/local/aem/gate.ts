interface Held {
  readonly release: () => void;
  readonly lose: () => void;
}

/** A place that requests of one kind pass, and where they can be held. */
export class Gate {
  #held: Held[] | undefined;
  #waiting: { readonly count: number; readonly ready: () => void }[] = [];

  /** From now on whoever comes waits here. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { release } of held) release();
  }

  /** As when the instance dies: what is held is never done. */
  lose(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { lose } of held) lose();
  }

  /** Returns once so many are held. */
  waiting(count: number): Promise<void> {
    return new Promise((ready) => {
      this.#waiting.push({ count, ready });
      this.#tell();
    });
  }

  async pass(): Promise<void> {
    if (!this.#held) return;
    const held = this.#held;
    await new Promise<void>((release, reject) => {
      held.push({ release, lose: () => reject(new Error('the instance died')) });
      this.#tell();
    });
  }

  #tell(): void {
    const arrived = this.#held?.length ?? 0;
    this.#waiting = this.#waiting.filter(({ count, ready }) => {
      if (arrived < count) return true;
      ready();
      return false;
    });
  }
}
