interface Stoppable {
  stop(): Promise<unknown>;
}

/** Things that run until all of them are stopped, the last one first. */
export class Running {
  readonly #things: Stoppable[] = [];

  add<T extends Stoppable>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  /** The same once it has started. */
  readonly started = async <T extends Stoppable>(starting: Promise<T>): Promise<T> =>
    this.add(await starting);

  /** May be called again. */
  readonly stop = async (): Promise<void> => {
    for (const thing of this.#things.splice(0).reverse()) await thing.stop();
  };
}
