import type { FairwayError, FairwayErrorKind } from '../client/fairway-error.ts';

/** What the process says with its exit code. */
export const exitCodes = {
  finished: 0,
  /** The execution that was watched did not finish, or something broke that has no code of its own. */
  failed: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** Understood, and turned down. */
  refused: 3,
  notFound: 4,
  /** Nothing answered, or it is not known whether the request took effect. */
  unavailable: 5,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;
export type Exit = keyof typeof exitCodes;

/** Ends the command: what is wrong and, line by line, what to do about it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly exit: Exit;
  readonly remedy: readonly string[];

  constructor(exit: Exit, message: string, ...remedy: string[]) {
    super(message);
    this.exit = exit;
    this.remedy = remedy;
  }
}

const byKind: Record<FairwayErrorKind, Exit> = {
  refused: 'refused',
  notFound: 'notFound',
  ambiguous: 'usage',
  unavailable: 'unavailable',
  outcomeUnknown: 'unavailable',
};

/** Known by its name: importing the class would load Temporal's client, which `--help` must not wait for. */
export const isFairwayError = (error: unknown): error is FairwayError =>
  error instanceof Error && error.name === 'FairwayError';

const isProblem = (error: unknown): error is Problem => error instanceof Error && error.name === 'Problem';

/** What standard error says about anything thrown, and the exit code. */
export function explained(error: unknown): { readonly lines: readonly string[]; readonly exit: Exit } {
  const problem = asProblem(error);
  const [first = '', ...more] = problem.message.split('\n');
  const indented = [...more, ...problem.remedy].map((line) => `  ${line}`);
  return { lines: [`fairway: ${first}`, ...indented], exit: problem.exit };
}

function asProblem(error: unknown): Problem {
  if (isProblem(error)) return error;
  if (isFairwayError(error)) return new Problem(byKind[error.kind], error.message);
  if (!(error instanceof Error)) return new Problem('failed', String(error));
  // A Failure of systems/: its details are the other side's own words.
  const { details } = error as { details?: unknown };
  const words = Array.isArray(details) ? details.map(String) : [];
  return new Problem('failed', error.message, ...words);
}
