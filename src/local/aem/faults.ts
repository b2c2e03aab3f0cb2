import { Gate } from './gate.ts';

/** What a test or a rehearsal may do to a stand-in; the stand-in asks here at the places where AEM would fail. */
export class Faults {
  /** The disk of the instance is full: uploads are refused. */
  fullDisk = false;
  /** An upload passes here with each piece of its file. */
  readonly uploads = new Gate();
  /** An installation passes here before it does anything. */
  readonly installs = new Gate();
  /** What is replicated passes here before it is delivered. */
  readonly replications = new Gate();
  readonly failing = new Map<string, string>();
  readonly withErrors = new Set<string>();
  readonly #dropped = new Set<'upload' | 'install'>();
  #restartEnds = 0;
  #asked = 0;

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

  /** As when the instance dies: what is held is never done. */
  loseHeld(): void {
    this.uploads.lose();
    this.installs.lose();
    this.replications.lose();
  }
}
