import type { PackageDependency } from './artifacts.ts';

/**
 * Versions and version ranges of content packages, as FileVault reads them from 3.7.0 on: it compares versions by the
 * rules of Maven's ComparableVersion (https://maven.apache.org/pom.html#Version_Order_Specification). FileVault up to
 * 3.6.0 compares segment by segment; the two differ only where a range's edge meets a qualifier or trailing zeros.
 */

interface NumberPart {
  readonly kind: 'number';
  /** Without leading zeros; any length. */
  readonly digits: string;
}
interface TextPart {
  readonly kind: 'text';
  readonly rank: number;
  /** Only of a qualifier without a rank of its own: those are ordered alphabetically. */
  readonly text: string;
}
/** What follows a dash, or a change between digits and letters, is a list within the list. */
interface ListPart {
  readonly kind: 'list';
  readonly parts: Part[];
}
type Part = NumberPart | TextPart | ListPart;

const zero: NumberPart = { kind: 'number', digits: '0' };
const ranks = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];
const release = ranks.indexOf('');
const aliases = new Map([
  ['ga', ''],
  ['final', ''],
  ['release', ''],
  ['cr', 'rc'],
]);
/** One letter stands for a qualifier only directly before a digit: `1.0a1`, not `1.0-a`. */
const letters = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
]);

const isNumber = (token: string) => /^\p{Nd}/u.test(token);

function partOf(token: string, beforeDigit: boolean): Part {
  if (isNumber(token)) return { kind: 'number', digits: token.replace(/^0+(?=.)/, '') };
  const long = (beforeDigit && letters.get(token)) || token;
  const text = aliases.get(long) ?? long;
  const rank = ranks.indexOf(text);
  return rank < 0 ? { kind: 'text', rank: ranks.length, text } : { kind: 'text', rank, text: '' };
}

/** Zeros, empty lists and names of the release itself at the end of a list add nothing: 1.0.0 is 1. */
function trim(parts: Part[]): void {
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    const part = parts[index]!;
    if (compareParts(part, undefined) === 0) parts.splice(index, 1);
    else if (part.kind !== 'list') return;
  }
}

function parse(version: string): ListPart {
  const root: Part[] = [];
  const lists = [root];
  let list = root;
  let pending: string | undefined;
  const nest = () => {
    const parts: Part[] = [];
    list.push({ kind: 'list', parts });
    lists.push(parts);
    list = parts;
  };
  // FileVault drops empty segments before it compares: 1..0 is 1.0.
  const text = version.split('.').filter(Boolean).join('.').toLowerCase();
  for (const [token] of text.matchAll(/\p{Nd}+|[^\p{Nd}.-]+|[.-]/gu)) {
    if (token === '.' || token === '-') {
      list.push(pending === undefined ? zero : partOf(pending, false));
      pending = undefined;
      if (token === '-') nest();
    } else {
      if (pending !== undefined) {
        list.push(partOf(pending, isNumber(token)));
        nest();
      }
      pending = token;
    }
  }
  if (pending !== undefined) list.push(partOf(pending, false));
  lists.reverse().forEach(trim);
  return { kind: 'list', parts: root };
}

const order = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);
const kinds = ['text', 'list', 'number'];

/** A missing part counts as nothing: less than a number, more than `alpha` to `snapshot`. */
function compareParts(a: Part | undefined, b: Part | undefined): number {
  if (a === undefined) return b === undefined ? 0 : -compareParts(b, undefined);
  if (b === undefined) {
    if (a.kind === 'number') return a.digits === '0' ? 0 : 1;
    if (a.kind === 'text') return order(a.rank, release);
    return a.parts.map((part) => compareParts(part, undefined)).find((result) => result !== 0) ?? 0;
  }
  if (a.kind === 'number' && b.kind === 'number')
    return order(a.digits.length, b.digits.length) || order(a.digits, b.digits);
  if (a.kind === 'text' && b.kind === 'text') return order(a.rank, b.rank) || order(a.text, b.text);
  if (a.kind === 'list' && b.kind === 'list') {
    for (let index = 0; index < Math.max(a.parts.length, b.parts.length); index += 1) {
      const result = compareParts(a.parts[index], b.parts[index]);
      if (result !== 0) return result;
    }
    return 0;
  }
  return order(kinds.indexOf(a.kind), kinds.indexOf(b.kind));
}

/** Negative when `a` is older than `b`, 0 when they count as the same version, positive when it is newer. */
export function compareVersions(a: string, b: string): number {
  return compareParts(parse(a), parse(b));
}

/** A missing bound is open. */
export interface VersionRange {
  readonly low?: { readonly version: string; readonly inclusive: boolean };
  readonly high?: { readonly version: string; readonly inclusive: boolean };
}

/**
 * Reads a range: empty is any version, `1.0` is 1.0 or newer (not exactly 1.0), `[1.0,2.0)` has two bounds. As in
 * FileVault a round bracket anywhere counts before a square one, and what stands outside of the brackets is ignored.
 */
export function parseRange(text: string): VersionRange | { readonly error: string } {
  if (text === '') return {};
  const comma = text.indexOf(',');
  if (comma < 0) return { ...(hasSegments(text) && { low: { version: text, inclusive: true } }) };
  const [open, close] = [bracket(text, '(', '['), bracket(text, ')', ']')];
  if (open.at < 0 || open.at > comma || close.at < comma)
    return { error: `version range ${text} must be written like [1.0,2.0): brackets on both sides` };
  const low = text.slice(open.at + 1, comma).trim();
  const high = text.slice(comma + 1, close.at).trim();
  const [hasLow, hasHigh] = [hasSegments(low), hasSegments(high)];
  const compared = hasLow && hasHigh ? compareVersions(low, high) : -1;
  if (compared > 0) return { error: `version range ${text}: the lower bound is above the upper bound` };
  if (compared === 0 && !(open.inclusive && close.inclusive))
    return { error: `version range ${text} is empty: with equal bounds both must be inclusive` };
  return {
    ...(hasLow && { low: { version: low, inclusive: open.inclusive } }),
    ...(hasHigh && { high: { version: high, inclusive: close.inclusive } }),
  };
}

/** A version of nothing but dots is no bound. */
const hasSegments = (version: string): boolean => /[^.]/.test(version);

function bracket(text: string, exclusive: string, inclusive: string): { at: number; inclusive: boolean } {
  const at = text.indexOf(exclusive);
  return at < 0 ? { at: text.indexOf(inclusive), inclusive: true } : { at, inclusive: false };
}

export function inRange(version: string, { low, high }: VersionRange): boolean {
  const aboveLow = low ? compareVersions(version, low.version) : 1;
  const belowHigh = high ? compareVersions(high.version, version) : 1;
  return (
    (aboveLow > 0 || (aboveLow === 0 && low!.inclusive)) &&
    (belowHigh > 0 || (belowHigh === 0 && high!.inclusive))
  );
}

/**
 * Reads the property `dependencies` of a package. Like FileVault it splits at commas outside of a range's brackets and
 * does not trim: a blank behind a comma belongs to the next group, and AEM does not find that package either.
 */
export function parseDependencies(text: string): PackageDependency[] {
  const entries: string[] = [];
  let start = 0;
  let inBrackets = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]!;
    if (/[[(]/.test(character) && text[index - 1] === ':') inBrackets = true;
    else if (/[\])]/.test(character)) inBrackets = false;
    else if (character === ',' && !inBrackets) {
      entries.push(text.slice(start, index));
      start = index + 1;
    }
  }
  entries.push(text.slice(start));
  return entries.filter((entry) => entry !== '').map(parseDependency);
}

/** Besides `group:name:range` there are the older forms `group/name` and `group/name:range`. */
function parseDependency(entry: string): PackageDependency {
  const [first = '', second, third] = entry.replace(/:+$/, '').split(':');
  if (third !== undefined) return dependency(first, second!, third);
  if (second === undefined) return dependency(...atSlash(first), '');
  if (first === '' && second.includes('/')) return dependency(...atSlash(second), '');
  if (first.includes('/') && /^(?:$|[\p{Nd}[])/u.test(second)) return dependency(...atSlash(first), second);
  return dependency(first, second, '');
}

function atSlash(path: string): [group: string, name: string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
}

const dependency = (group: string, name: string, range: string): PackageDependency => ({
  group: group.replace(/^\/etc\/packages\//, ''),
  name,
  range,
});
