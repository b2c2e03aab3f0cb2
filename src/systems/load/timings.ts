/** Times in whole milliseconds, counted so that an hour of load takes no more memory than a second of it. */
export function timings(longestMs: number) {
  const counts = new Uint32Array(longestMs + 1);
  let total = 0;
  let max: number | undefined;
  return {
    add(ms: number): void {
      const index = Math.min(ms, longestMs);
      counts[index] = (counts[index] ?? 0) + 1;
      total++;
      max = Math.max(max ?? 0, ms);
    },
    /** The longest time; undefined when there is none. */
    max: () => max,
    /** The time that so many percent of all do not exceed; undefined when there is none. */
    percentile(percent: number): number | undefined {
      let below = Math.ceil((total * percent) / 100);
      if (below === 0) return undefined;
      return counts.findIndex((count) => (below -= count) <= 0);
    },
  };
}
