/** What a test or a rehearsal may do to a stand-in; the stand-in asks here at the places where AEM would fail. */
export class Faults {
  /** The disk of the instance is full: uploads are refused. */
  fullDisk = false;
  readonly failing = new Map<string, string>();
  readonly withErrors = new Set<string>();
  readonly #dropped = new Set<'upload' | 'install'>();
  #restartEnds = 0;
  #asked = 0;
  #held: { readonly release: () => void; readonly lose: () => void }[] | undefined;
  #waiting: { readonly count: number; readonly ready: () => void }[] = [];

  /** The package manager is away for so long: connections cut, 503 and 404 in turn. */
  restartPackageManager(ms: number): void {
    this.#restartEnds = Math.max(this.#restartEnds, Date.now() + ms);
  }

  /** How the package manager answers now, when it is restarting. */
  restarting(): 503 | 404 | 'cut' | undefined {
    if (Date.now() >= this.#restartEnds) return undefined;
    this.#asked += 1;
    return ([503, 404, 'cut'] as const)[this.#asked % 3];
  }

  dropAnswerOfNext(what: 'upload' | 'install'): void {
    this.#dropped.add(what);
  }

  /** Whether this answer is to be lost, once. */
  dropsAnswer(what: 'upload' | 'install'): boolean {
    return this.#dropped.delete(what);
  }

  /** From now on every installation waits at its beginning. */
  holdInstalls(): void {
    this.#held ??= [];
  }

  releaseInstalls(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { release } of held) release();
  }

  /** As when the instance dies: what is held is never done. */
  loseInstalls(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { lose } of held) lose();
  }

  /** Returns once so many installations are held. */
  installsWaiting(count: number): Promise<void> {
    return new Promise((ready) => {
      this.#waiting.push({ count, ready });
      this.#tell();
    });
  }

  /** An installation passes here before it does anything. */
  async gate(): Promise<void> {
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
