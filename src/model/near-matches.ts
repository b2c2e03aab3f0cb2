/** Names that are probably meant, best first, three at most. */
export const nearMatches = (wanted: string, names: readonly string[]): string[] =>
  names
    .map((name) => ({ name, distance: distance(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(
      ({ name, distance: far }) =>
        far <= (wanted.length < 4 ? 1 : Math.max(2, wanted.length / 3)) ||
        name.toLowerCase().includes(wanted.toLowerCase()),
    )
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);

/** Levenshtein's: how many characters to insert, remove or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries())
      next.push(
        Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (left === right ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
