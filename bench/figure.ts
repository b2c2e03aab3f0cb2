/** One number of one run, and what it is held against. */
export interface Measured {
  /** What it is, for people; the same words in every run. */
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Absent: it is there to compare with. */
  readonly goal?: { readonly atMost: number } | { readonly atLeast: number };
}

export interface Setting {
  /** A small run that only shows that the figure can be measured. */
  readonly smoke: boolean;
  /** An empty folder of this run. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** Something that is measured, in runs that are independent of each other. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  /** How many runs tell something; a smoke run is always one. */
  readonly runs: number;
  readonly run: (setting: Setting) => Promise<readonly Measured[]>;
}

/** The value below which the share `p` of the values lies. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? NaN;
}

/** Waits for all of them, also when some fail; then fails as the first of those did. */
export async function all<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}
