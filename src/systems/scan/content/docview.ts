import { newNode, type Property, type RepositoryNode } from './node.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** Whether an XML file is a document view: FileVault tells by the root element. */
export const looksLikeDocView = (xml: string): boolean => /<jcr:root[\s>/]/.test(xml.slice(0, 20_000));

/**
 * Reads a FileVault document view (https://jackrabbit.apache.org/filevault/docview.html) into `into`: the root element
 * is the node itself, nested elements are nodes below it.
 * @param file what findings call the file
 * @throws XmlError
 */
export function readDocView(xml: string, into: RepositoryNode, file: string): void {
  fill(into, parseXml(xml), file);
}

function fill(node: RepositoryNode, element: XmlElement, file: string): void {
  // An element without attributes only gives its place among its siblings.
  const said = element.attributes.some(({ name }) => !isNamespace(name));
  if (said || !node.own) node.place = { file, line: element.line };
  if (said) node.own = true;
  for (const { name, value, line } of element.attributes)
    if (!isNamespace(name)) node.properties.set(decodeName(name), { ...parseValue(value), line });
  node.type = node.properties.get('jcr:primaryType')?.values[0] ?? node.type;
  const seen = new Map<string, number>();
  for (const child of element.children) {
    const plain = decodeName(child.name);
    const count = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, count);
    const name = count > 1 ? `${plain}[${count}]` : plain;
    const path = node.path === '/' ? `/${name}` : `${node.path}/${name}`;
    const existing = node.children.get(name);
    const next = existing ?? newNode(name, path, { file, line: child.line });
    if (!existing) node.children.set(name, next);
    fill(next, child, file);
  }
}

const isNamespace = (name: string) => name === 'xmlns' || name.startsWith('xmlns:');

/** `_x0020_` stands for a character that XML names cannot hold. */
const decodeName = (name: string) =>
  name.replace(/_x([0-9a-fA-F]{4})_/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));

/** `{Boolean}true`, `[a,b]`, `{Long}[1,2]`, with a backslash before what is meant literally. */
export function parseValue(text: string): Omit<Property, 'line'> {
  const [typing = '', type = 'String'] = /^\{([A-Za-z]+)\}/.exec(text) ?? [];
  const rest = text.slice(typing.length);
  if (!rest.startsWith('[') || !rest.endsWith(']'))
    return { type, values: [rest.replace(/\\([^])/g, '$1')], multiple: false };
  const values: string[] = [];
  let current = '';
  const body = rest.slice(1, -1);
  for (let at = 0; at < body.length; at += 1) {
    if (body[at] === '\\') current += body[(at += 1)] ?? '';
    else if (body[at] === ',') {
      values.push(current);
      current = '';
    } else current += body[at];
  }
  return { type, values: body === '' ? [] : [...values, current], multiple: true };
}
