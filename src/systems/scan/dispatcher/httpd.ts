import type { Place } from '../rule.ts';
import { expand, insideServerRoot, isPattern, type ServerRoot } from './server-root.ts';

/** A directive of an httpd configuration with the sections around it, the outermost first. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly within: readonly Section[];
  readonly place: Place;
}

export interface Section {
  /** Lower case. */
  readonly name: string;
  readonly args: readonly string[];
}

export interface HttpdConfiguration {
  readonly directives: readonly Directive[];
  /** `Include` directives whose file is not in the package. */
  readonly missing: readonly { readonly place: Place; readonly target: string }[];
  readonly variables: ReadonlyMap<string, string>;
}

const MAX_DEPTH = 20;
const MAX_INCLUDES = 2000;

/**
 * Reads the httpd configuration of a package as httpd would, from `conf/httpd.conf`, or, where the host brings that
 * file, from `conf.modules.d` and `conf.d`. Conditions such as `<IfModule>` are taken as met.
 */
export function readHttpd(root: ServerRoot): HttpdConfiguration {
  const directives: Directive[] = [];
  const missing: { place: Place; target: string }[] = [];
  const variables = new Map<string, string>();
  let includes = 0;

  const read = (path: string, sections: readonly Section[], from: readonly string[]): void => {
    const found = root.file(path);
    includes += 1;
    if (!found?.text || from.includes(found.path) || from.length > MAX_DEPTH || includes > MAX_INCLUDES)
      return;
    const within = [...sections];
    for (const { text, line } of logicalLines(found.text)) {
      const place = { file: found.file, line };
      if (text.startsWith('</')) {
        if (within.length > sections.length) within.pop();
        continue;
      }
      const section = /^<\s*([A-Za-z]+)\s*([^]*?)>?\s*$/.exec(text);
      if (section) {
        within.push({ name: section[1]!.toLowerCase(), args: words(section[2]!) });
        continue;
      }
      const [name = '', ...args] = words(text);
      directives.push({ name, args, within: [...within], place });
      if (/^define$/i.test(name) && args[0]) variables.set(args[0], expand(args[1] ?? '', variables) ?? '');
      if (!/^include(optional)?$/i.test(name)) continue;
      const target = args[0] ?? '';
      const expanded = expand(target, variables);
      const inside = expanded && insideServerRoot(expanded);
      // What an unknown variable or a path outside the server root names can only be told on the host.
      if (!inside) continue;
      const paths = root.match(inside);
      const guarded = within.some((one) => one.name === 'iffile');
      if (paths.length === 0 && /^include$/i.test(name) && !guarded) missing.push({ place, target });
      for (const included of paths) read(included, within, [...from, found.path]);
    }
  };

  const main = 'conf/httpd.conf';
  const start = root.file(main) ? [main] : ['conf.modules.d/*.conf', 'conf.d/*.conf'];
  for (const pattern of start)
    for (const path of isPattern(pattern) ? root.match(pattern) : [pattern]) read(path, [], []);
  return { directives, missing, variables };
}

/** Lines without comments; a backslash at the end of a line joins the next one to it. */
function* logicalLines(source: string): Generator<{ text: string; line: number }> {
  const lines = source.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = at + 1;
    let text = lines[at]!;
    while (text.endsWith('\\') && at + 1 < lines.length) text = text.slice(0, -1) + lines[(at += 1)]!;
    text = text.trim();
    if (text !== '' && !text.startsWith('#')) yield { text, line };
  }
}

const words = (text: string): string[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
