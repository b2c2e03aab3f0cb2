/**
 * Reads `META-INF/vault/properties.xml`: Java's properties in XML. The format is small enough to be read by its own DTD
 * (http://java.sun.com/dtd/properties.dtd), and nothing else is accepted: whatever a general XML parser might be talked
 * into, such as entities and declarations inside the DOCTYPE, does not occur in it.
 * @throws Error saying what is wrong
 */
export function parseProperties(bytes: Buffer): Map<string, string> {
  const text = decode(bytes).trim();
  const [head] = prolog.exec(text) ?? [];
  if (head === undefined || !text.endsWith('</properties>'))
    throw new Error(
      /<!ENTITY|<!DOCTYPE[^>]*\[/i.test(text.slice(0, 2000))
        ? 'it declares entities or a DTD of its own'
        : 'it is not the XML of Java properties',
    );
  const properties = new Map<string, string>();
  const body = text.slice(head.length, -'</properties>'.length);
  for (let at = 0; at < body.length; at = item.lastIndex) {
    item.lastIndex = at;
    const found = item.exec(body)?.groups;
    if (!found) throw new Error(`it is not the XML of Java properties, from ${excerpt(body, at)} on`);
    if (found.key !== undefined) properties.set(unescape(found.key.slice(1, -1)), value(found.value ?? ''));
  }
  return properties;
}

const comment = '<!--(?:(?!--)[^])*-->';
// Every repetition has one way to match only: a hostile file must not keep the expressions busy.
const between = `(?:\\s|${comment})*`;
const prolog = new RegExp(
  `^(?:<\\?xml [^<>?]*\\?>)?${between}(?:<!DOCTYPE\\s+properties\\b[^<>[\\]]*>${between})?` +
    `<properties(?:\\s+version\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))?\\s*>`,
);
const cdata = '<!\\[CDATA\\[(?:(?!\\]\\]>)[^])*\\]\\]>';
const content = `[^<]*(?:(?:${cdata}|${comment})[^<]*)*`;
const item = new RegExp(
  `\\s+|${comment}|<comment\\s*/>|<comment\\s*>${content}</comment\\s*>|` +
    `<entry\\s+key\\s*=\\s*(?<key>"[^"<]*"|'[^'<]*')\\s*(?:/>|>(?<value>${content})</entry\\s*>)`,
  'y',
);

const excerpt = (text: string, at: number) => JSON.stringify(text.slice(at, at + 40));

function value(xml: string): string {
  const parts = xml.match(new RegExp(`${cdata}|${comment}|[^<]+`, 'g')) ?? [];
  return parts
    .map((part) => {
      if (part.startsWith('<!--')) return '';
      return part.startsWith('<!') ? part.slice('<![CDATA['.length, -']]>'.length) : unescape(part);
    })
    .join('');
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('it is not encoded in UTF-8');
  }
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&([^;]*);?/g, (reference, name: string) => {
    const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name) ?? [];
    const code = hex ? parseInt(hex, 16) : decimal ? parseInt(decimal, 10) : undefined;
    const character =
      code === undefined ? named[name] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (character === undefined) throw new Error(`it uses the entity ${excerpt(reference, 0)}`);
    return character;
  });
}
