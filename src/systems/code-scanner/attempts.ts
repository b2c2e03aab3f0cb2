import { Failure, messageOf } from '../failure.ts';
import type { ScanTools } from './scanner.ts';

/** The parts of one scan: one that fails leaves what it measures unknown and says so in `problems`; the others go on. */
export function attempts({ say, signal }: Pick<ScanTools, 'say' | 'signal'>) {
  const problems: string[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      problems.push(messageOf(error));
      [messageOf(error), ...error.details].forEach((line) => say(line));
      return undefined;
    }
  };
  return { attempt, problems };
}
