interface AtWork {
  readonly attempt: number;
  readonly giveUp: () => void;
  readonly ended: Promise<unknown>;
}

/** Attempts that this process is at, by activity. */
const atWork = new Map<string, AtWork>();

/**
 * Runs `work` when no earlier attempt at the same activity is at work in this process any more. After a network cut there
 * may be one that the server gave up and that has not heard of it: it is told, and cleans up first.
 */
export async function alone<T>(
  options: {
    readonly activity: string;
    readonly attempt: number;
    readonly cancelled: AbortSignal;
    /** What an attempt that is given up should throw. */
    readonly reason: Error;
  },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { activity, attempt, cancelled, reason } = options;
  const givenUp = new AbortController();
  const earlier = atWork.get(activity);
  const begin = async () => {
    if (earlier && earlier.attempt < attempt) {
      earlier.giveUp();
      await earlier.ended;
    }
    const signal = AbortSignal.any([cancelled, givenUp.signal]);
    signal.throwIfAborted();
    return work(signal);
  };
  const running = begin();
  const mine = {
    attempt,
    giveUp: () => givenUp.abort(reason),
    ended: running.catch(() => undefined),
  };
  atWork.set(activity, mine);
  try {
    return await running;
  } finally {
    if (atWork.get(activity) === mine) atWork.delete(activity);
  }
}
