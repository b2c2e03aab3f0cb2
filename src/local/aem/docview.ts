import { XMLParser } from 'fast-xml-parser';
import { escapeHtml } from './answer.ts';

/** A node of a FileVault document view (`.content.xml`): its properties as text, and its child nodes by name. */
export interface ViewNode {
  readonly properties: ReadonlyMap<string, string>;
  readonly children: ReadonlyMap<string, ViewNode>;
}

const ATTRIBUTE = '@';
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: ATTRIBUTE,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  htmlEntities: false,
});

const TOKEN =
  /<\?[^]*?\?>|<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<!\w[^>]*>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|</g;

/** What is wrong with the tags of a document view, in the words of a SAX exception; undefined when nothing is. */
export function saxProblem(xml: string): string | undefined {
  const open: string[] = [];
  let roots = 0;
  const problem = (at: number, words: string) => {
    const lines = xml.slice(0, at).split('\n');
    return `org.xml.sax.SAXParseException; lineNumber: ${lines.length}; columnNumber: ${lines.at(-1)!.length + 1}; ${words}`;
  };
  for (const { 0: token, 1: closing, 2: name, 4: empty, index } of xml.matchAll(TOKEN)) {
    if (token === '<')
      return problem(index, 'The content of elements must consist of well-formed character data or markup.');
    if (name === undefined) continue;
    if (closing) {
      const expected = open.pop();
      if (expected !== name)
        return problem(
          index,
          `The element type "${expected}" must be terminated by the matching end-tag "</${expected}>".`,
        );
    } else {
      if (open.length === 0) roots += 1;
      if (!empty) open.push(name);
    }
  }
  if (open.length > 0)
    return problem(xml.length, 'XML document structures must start and end within the same entity.');
  return roots === 1 ? undefined : problem(xml.length, 'Premature end of file.');
}

export function parseDocView(xml: string): ViewNode {
  const document = parser.parse(xml) as Record<string, unknown>;
  return nodeOf(Object.values(document).find((value) => typeof value === 'object') ?? {});
}

function nodeOf(element: unknown): ViewNode {
  const properties = new Map<string, string>();
  const children = new Map<string, ViewNode>();
  if (typeof element === 'object' && element !== null)
    for (const [name, value] of Object.entries(element)) {
      if (!name.startsWith(ATTRIBUTE)) children.set(decodeName(name), nodeOf(value));
      else if (!name.startsWith(`${ATTRIBUTE}xmlns`))
        properties.set(decodeName(name.slice(ATTRIBUTE.length)), valueOf(String(value)));
    }
  return { properties, children };
}

/** `{Boolean}true` is the text `true`. */
const valueOf = (text: string) => text.replace(/^\{[A-Za-z]+\}/, '');

/** `_x0020_` stands for a character that XML names cannot hold. */
const decodeName = (name: string) =>
  name.replace(/_x([0-9a-fA-F]{4})_/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));

/** A node as the document view that FileVault would export. */
export const docViewXml = (node: ViewNode): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${element('jcr:root', node, NAMESPACES)}`;

const NAMESPACES = [
  'xmlns:jcr="http://www.jcp.org/jcr/1.0"',
  'xmlns:nt="http://www.jcp.org/jcr/nt/1.0"',
  'xmlns:sling="http://sling.apache.org/jcr/sling/1.0"',
  'xmlns:cq="http://www.day.com/jcr/cq/1.0"',
].join(' ');

function element(name: string, { properties, children }: ViewNode, namespaces = ''): string {
  const attributes = [...properties].map(([key, value]) => `${encodeName(key)}="${escapeHtml(value)}"`);
  const inner = [...children].map(([key, child]) => element(encodeName(key), child)).join('');
  return `<${[name, namespaces, ...attributes].filter(Boolean).join(' ')}>${inner}</${name}>`;
}

const encodeName = (name: string) =>
  name.replace(
    /[^\w:.-]|^[^A-Za-z_]/g,
    (character) => `_x${character.charCodeAt(0).toString(16).padStart(4, '0')}_`,
  );
