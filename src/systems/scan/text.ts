/** Lines of a text by offset: finds the line of an offset without counting from the start each time. */
export class Lines {
  readonly #starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#starts = starts;
  }

  /** From 1. */
  at(offset: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

/** Text of a file, without the mark of its byte order; undefined when it is binary or not UTF-8. */
export function decodeText(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A text from a stranger, short enough for a message. */
export const shown = (text: string, limit = 80): string =>
  text.length > limit ? `${text.slice(0, limit)}...` : text;

/** `Map.groupBy`, which Node.js 20 does not have. */
export function groupBy<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

const MAX_EXPRESSION_LENGTH = 1000;
const MAX_REPETITIONS = 4;

/**
 * A regular expression from a stranger that has to match the whole text; undefined when it is none, or when it could
 * keep the process busy: repetitions inside repeated groups, or many that overlap.
 */
export function wholeMatch(pattern: string): RegExp | undefined {
  if (pattern.length > MAX_EXPRESSION_LENGTH) return undefined;
  let repetitions = 0;
  const repeatedInside = [false];
  const bare = pattern.replace(/\\[^]/g, 'x').replace(/\[[^\]]*\]/g, 'x');
  for (let at = 0; at < bare.length; at += 1) {
    const character = bare[at]!;
    if (character === '(') repeatedInside.push(false);
    const unbounded = '*+{'.includes(character);
    if (unbounded) {
      repetitions += 1;
      repeatedInside[repeatedInside.length - 1] = true;
    }
    if (character === ')') {
      const inside = repeatedInside.pop() ?? false;
      if (inside && '*+{'.includes(bare[at + 1] ?? ' ')) return undefined;
      if (inside && repeatedInside.length > 0) repeatedInside[repeatedInside.length - 1] = true;
    }
  }
  if (repetitions > MAX_REPETITIONS) return undefined;
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    return undefined;
  }
}
