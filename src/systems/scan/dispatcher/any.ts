import { posix } from 'node:path';
import type { Place } from '../rule.ts';
import { shown } from '../text.ts';
import { tokenize, type Problem, type Token } from './any-tokens.ts';
import { expand, insideServerRoot, type ServerRoot } from './server-root.ts';

/** One entry of a dispatcher configuration: `/name "value"`, `/name { ... }`, or a value alone. */
export interface Entry {
  /** Without the slash; empty for a value alone, as in `/clientheaders`. */
  readonly name: string;
  /** As written, variables and all; undefined for a section. */
  readonly value?: string;
  /** The value is in single quotes: a regular expression. */
  readonly single: boolean;
  readonly children?: readonly Entry[];
  readonly place: Place;
}

export interface Configuration {
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
}

const MAX_DEPTH = 20;
const MAX_INCLUDES = 2000;
const MAX_TOKENS = 100_000;

/** Reads a dispatcher configuration with all that it includes. */
export function readAny(
  root: ServerRoot,
  path: string,
  variables: ReadonlyMap<string, string>,
): Configuration {
  const reader = new Reader(root, variables);
  const entries = reader.include(path, []);
  return { entries, problems: reader.problems };
}

class Reader {
  readonly problems: Problem[] = [];
  readonly #root: ServerRoot;
  readonly #variables: ReadonlyMap<string, string>;
  #includes = 0;
  #tokens = 0;

  constructor(root: ServerRoot, variables: ReadonlyMap<string, string>) {
    this.#root = root;
    this.#variables = variables;
  }

  report(kind: Problem['kind'], place: Place, message: string): void {
    this.problems.push({ kind, place, message });
  }

  /** @param from the paths of the files that include this one, the outermost first */
  include(path: string, from: readonly string[]): Entry[] {
    const found = this.#root.file(path);
    if (!found) return [];
    const place = { file: found.file };
    const refuse = (message: string) => {
      this.report('syntax-violation', place, message);
      return [];
    };
    if (found.text === undefined) return refuse('The file is not text in UTF-8 of at most 4 MiB');
    if (from.includes(found.path)) return refuse(`The file includes itself through ${from.at(-1)}`);
    if (from.length >= MAX_DEPTH) return refuse(`Files include each other more than ${MAX_DEPTH} deep`);
    this.#includes += 1;
    if (this.#includes > MAX_INCLUDES) return refuse(`More than ${MAX_INCLUDES} files are included`);
    const tokens = tokenize(found.text, found.file, this.problems);
    this.#tokens += tokens.length;
    if (this.#tokens > MAX_TOKENS) return refuse(`The configuration has more than ${MAX_TOKENS} words`);
    return new FileParser(this, tokens, found.file, (pattern, where) =>
      this.#included(pattern, where, path, [...from, found.path]),
    ).all();
  }

  #included(pattern: string, where: Place, includer: string, from: readonly string[]): Entry[] {
    const expanded = expand(pattern, this.#variables);
    // What an unknown variable names can only be told on the host.
    const inside = expanded && insideServerRoot(expanded);
    if (!inside) return [];
    const absolute = expanded.startsWith('/');
    const paths = this.#root.match(absolute ? inside : posix.join(posix.dirname(includer), inside));
    if (paths.length === 0)
      this.report('syntax-violation', where, `There is no file ${shown(pattern)} in the package`);
    return paths.flatMap((path) => this.include(path, from));
  }
}

/** Parses the tokens of one file. After an error it goes on, so that one run shows them all. */
class FileParser {
  readonly #reader: Reader;
  readonly #tokens: readonly Token[];
  readonly #file: string;
  readonly #included: (pattern: string, where: Place) => Entry[];
  #at = 0;

  constructor(
    reader: Reader,
    tokens: readonly Token[],
    file: string,
    included: (pattern: string, where: Place) => Entry[],
  ) {
    this.#reader = reader;
    this.#tokens = tokens;
    this.#file = file;
    this.#included = included;
  }

  all(): Entry[] {
    const entries: Entry[] = [];
    while (this.#at < this.#tokens.length) {
      entries.push(...this.#body(0));
      const extra = this.#tokens[this.#at];
      if (!extra) break;
      this.#reader.report('brace-unclosed', this.#place(extra), 'The brace } closes nothing');
      this.#at += 1;
    }
    return entries;
  }

  #place = ({ line }: Token): Place => ({ file: this.#file, line });

  /** Entries up to the end of the file or a closing brace, which is left for the caller. */
  #body(depth: number): Entry[] {
    const entries: Entry[] = [];
    for (let token = this.#tokens[this.#at]; token && token.kind !== '}'; token = this.#tokens[this.#at]) {
      this.#at += 1;
      const place = this.#place(token);
      const { value, single } = token;
      if (token.kind === '{')
        this.#reader.report('token-unexpected', place, 'The brace { does not follow a name');
      else if (token.kind === 'word' && value === '$include') entries.push(...this.#include(token));
      else if (token.kind === 'word' && value.startsWith('/')) entries.push(this.#named(token, depth));
      else entries.push({ name: '', value, single, place });
    }
    return entries;
  }

  #include(token: Token): Entry[] {
    const pattern = this.#tokens[this.#at];
    if (pattern?.kind !== 'text' && pattern?.kind !== 'word') {
      this.#reader.report('token-unexpected', this.#place(token), '$include is not followed by a file name');
      return [];
    }
    this.#at += 1;
    return this.#included(pattern.value, this.#place(token));
  }

  #named(token: Token, depth: number): Entry {
    const name = token.value.slice(1);
    const place = this.#place(token);
    const next = this.#tokens[this.#at];
    if (next?.kind === '{') return { name, single: false, place, children: this.#section(token, depth) };
    if (next?.kind === 'text' || (next?.kind === 'word' && !/^[/$](?!\{)/.test(next.value))) {
      this.#at += 1;
      return { name, value: next.value, single: next.single, place };
    }
    // A path may be written without quotes, on the line of its name.
    if (next?.kind === 'word' && next.line === token.line && next.value.startsWith('/')) {
      this.#at += 1;
      return { name, value: next.value, single: false, place };
    }
    this.#reader.report('brace-missing', place, `/${shown(name)} has neither a value nor a brace {`);
    return { name, value: '', single: false, place };
  }

  #section(token: Token, depth: number): Entry[] {
    this.#at += 1;
    const deep = depth >= MAX_DEPTH;
    if (deep)
      this.#reader.report('syntax-violation', this.#place(token), `Sections are more than ${MAX_DEPTH} deep`);
    if (deep) this.#at = this.#tokens.length;
    const children = deep ? [] : this.#body(depth + 1);
    if (this.#tokens[this.#at]?.kind === '}') this.#at += 1;
    else if (!deep)
      this.#reader.report(
        'brace-unclosed',
        this.#place(token),
        `The section ${shown(token.value)} is not closed`,
      );
    return children;
  }
}

/** The child of a section by name. */
export const child = (entry: Entry | undefined, name: string): Entry | undefined =>
  entry?.children?.find((one) => one.name === name);
