import { Lines, shown } from '../text.ts';

/** An XML element with the lines that it and its attributes stand on. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** Text directly inside, without that of children. */
  readonly text: string;
  readonly line: number;
}

export interface XmlAttribute {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

/** Characters; the same limit as for an entry that is read at all. */
export const MAX_XML_LENGTH = 16 * 1024 ** 2;
const MAX_DEPTH = 200;
const MAX_ELEMENTS = 200_000;

/** Broken or refused XML. The message names the trouble, `line` where it is. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

interface Open {
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlElement[];
  text: string;
  readonly line: number;
}

const NAME = /[\p{L}_:][\p{L}\p{N}\p{M}_:.·-]*/uy;
const SPACE = /[ \t\r\n]*/y;

/**
 * Reads XML with positions. FileVault's files need no DTD, so a declaration of entities is refused, and only the five
 * entities of XML itself and characters by number are known: nothing is fetched and nothing grows.
 * @throws XmlError
 */
export function parseXml(source: string): XmlElement {
  const lines = new Lines(source);
  const fail = (at: number, message: string) => new XmlError(message, lines.at(at));
  if (source.length > MAX_XML_LENGTH)
    throw fail(0, `it has ${source.length} characters, more than the limit of ${MAX_XML_LENGTH}`);
  const open: Open[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  let at = 0;

  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0] ?? '';
    at += found.length;
    return found;
  };
  const skipPast = (end: string, what: string): string => {
    const start = at;
    const stop = source.indexOf(end, at);
    if (stop < 0) throw fail(start, `${what} is not closed`);
    at = stop + end.length;
    return source.slice(start, stop);
  };
  const addText = (text: string, start: number) => {
    const current = open.at(-1);
    if (current) current.text += text;
    else if (text.trim() !== '') throw fail(start, 'there is text outside the root element');
  };
  const unescaped = (text: string, start: number) =>
    unescapeXml(text, (reference) => fail(start, `the entity ${shown(reference, 20)} is not known`));

  const readTag = () => {
    const start = at - 1;
    const name = match(NAME);
    if (!name) throw fail(start, '"<" does not begin a tag');
    const attributes: XmlAttribute[] = [];
    const names = new Set<string>();
    for (;;) {
      const gap = match(SPACE);
      if (source[at] === '>' || source.startsWith('/>', at)) break;
      const place = at;
      const attribute = match(NAME);
      if (!attribute || gap === '') throw fail(at, `the tag <${shown(name)}> is not closed`);
      match(SPACE);
      if (source[at] !== '=') throw fail(place, `the attribute ${shown(attribute)} has no value`);
      at += 1;
      match(SPACE);
      const quote = source[at];
      if (quote !== '"' && quote !== "'") throw fail(place, `the value of ${shown(attribute)} has no quotes`);
      at += 1;
      const value = skipPast(quote, `the value of ${shown(attribute)}`);
      if (value.includes('<')) throw fail(place, `the value of ${shown(attribute)} holds "<"`);
      if (names.has(attribute)) throw fail(place, `the attribute ${shown(attribute)} is there twice`);
      names.add(attribute);
      attributes.push({ name: attribute, value: unescaped(value, place), line: lines.at(place) });
    }
    if (open.length === 0 && root) throw fail(start, 'there is more than one root element');
    elements += 1;
    if (elements > MAX_ELEMENTS) throw fail(start, `there are more than ${MAX_ELEMENTS} elements`);
    open.push({ name, attributes, children: [], text: '', line: lines.at(start) });
    if (open.length > MAX_DEPTH) throw fail(start, `elements are nested more than ${MAX_DEPTH} deep`);
    const empty = source[at] === '/';
    at += empty ? 2 : 1;
    if (empty) close();
  };
  const close = () => {
    const element = open.pop()!;
    const parent = open.at(-1);
    if (parent) parent.children.push(element);
    else root = element;
  };

  if (source.startsWith('\ufeff')) at = 1;
  while (at < source.length) {
    const start = at;
    const next = source.indexOf('<', at);
    const end = next < 0 ? source.length : next;
    if (end > at) {
      addText(unescaped(source.slice(at, end), start), start);
      at = end;
      continue;
    }
    at += 1;
    if (source.startsWith('!--', at)) {
      at += 3;
      skipPast('-->', 'a comment');
    } else if (source.startsWith('![CDATA[', at)) {
      at += 8;
      addText(skipPast(']]>', 'a CDATA section'), start);
    } else if (source.startsWith('!DOCTYPE', at)) {
      const declaration = skipPast('>', 'the DOCTYPE');
      if (/\[|<!/.test(declaration) || open.length > 0 || root)
        throw fail(start, 'it declares entities or a DTD of its own');
    } else if (source[at] === '?') {
      skipPast('?>', 'a processing instruction');
    } else if (source[at] === '/') {
      at += 1;
      const name = match(NAME);
      match(SPACE);
      const expected = open.at(-1)?.name;
      if (!name || name !== expected || source[at] !== '>')
        throw fail(start, `</${shown(name)}> closes ${expected ? `<${shown(expected)}>` : 'nothing'}`);
      at += 1;
      close();
    } else readTag();
  }
  const unclosed = open.at(-1);
  if (unclosed) throw fail(source.length, `<${shown(unclosed.name)}> of line ${unclosed.line} is not closed`);
  if (!root) throw fail(source.length, 'there is no root element');
  return root;
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string, unknown: (reference: string) => Error): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&<]{0,20});?/g, (reference, name: string) => {
    const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name) ?? [];
    const code = hex ? parseInt(hex, 16) : decimal ? parseInt(decimal, 10) : undefined;
    const character =
      code === undefined ? named[name] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (character === undefined || !reference.endsWith(';')) throw unknown(reference);
    return character;
  });
}
