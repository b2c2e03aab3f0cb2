import type { Place } from '../rule.ts';
import { shown } from '../text.ts';

/** What can be wrong with the text of a dispatcher configuration; the rules have the same names. */
export type SyntaxProblem =
  'brace-missing' | 'token-unexpected' | 'quote-unmatched' | 'brace-unclosed' | 'syntax-violation';

export interface Problem {
  readonly kind: SyntaxProblem;
  readonly place: Place;
  readonly message: string;
}

export interface Token {
  /** A brace, a name or word without quotes, or a text in quotes. */
  readonly kind: '{' | '}' | 'word' | 'text';
  readonly value: string;
  /** In single quotes: a regular expression. */
  readonly single: boolean;
  readonly line: number;
}

const TOKEN =
  /(?<space>[ \t\f\v]+)|(?<comment>#[^\n]*)|(?<brace>[{}])|"(?<double>[^"\n]*)"|'(?<single>[^'\n]*)'|(?<quote>["'])[^\n]*|(?<word>(?:\$\{[^}\n]*\}|[^\s{}"'#])+)/uy;

/** Cuts one file of a dispatcher configuration (`.any`) into tokens. A text ends on its line. */
export function tokenize(source: string, file: string, problems: Problem[]): Token[] {
  const tokens: Token[] = [];
  const text = source.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  let line = 1;
  for (let at = 0; at < text.length;) {
    if (text[at] === '\n') {
      line += 1;
      at += 1;
      continue;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const found = match?.groups ?? {};
    const add = (kind: Token['kind'], value: string, single = false) =>
      tokens.push({ kind, value, single, line });
    if (found['brace']) add(found['brace'] as '{' | '}', found['brace']);
    else if (found['double'] !== undefined) add('text', found['double']);
    else if (found['single'] !== undefined) add('text', found['single'], true);
    else if (found['word'] !== undefined) add('word', found['word']);
    else if (found['quote'])
      problems.push({
        kind: 'quote-unmatched',
        place: { file, line },
        message: `The quote ${found['quote']} is not closed on its line: ${shown(match![0])}`,
      });
    if (found['quote']) add('text', match![0].slice(1).trim());
    at = match ? TOKEN.lastIndex : at + 1;
  }
  return tokens;
}
