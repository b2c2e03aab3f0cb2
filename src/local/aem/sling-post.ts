import { json, type Answer } from './answer.ts';
import type { ViewNode } from './docview.ts';
import type { Faults } from './faults.ts';
import type { Repository } from './repository.ts';

const status = (code: number, message: string, path: string): Answer =>
  json({ 'status.code': code, 'status.message': message, path }, code);

/**
 * Apache Sling's POST servlet (Sling, "Manipulating Content - The SlingPostServlet") as far as nodes with text
 * properties go: creates (201) or changes (200) the node of the path, or deletes it.
 */
export async function slingPost(
  path: string,
  form: ReadonlyMap<string, string>,
  { repository, faults }: { readonly repository: Repository; readonly faults: Faults },
): Promise<Answer> {
  const operation = form.get(':operation');
  if (operation === 'nop') return status(200, 'OK', path);
  if (operation === 'delete')
    return (await repository.remove(path))
      ? status(200, 'OK', path)
      : status(404, 'Missing source for delete', path);
  if (operation !== undefined) return status(500, `Invalid operation specified: ${operation}`, path);
  if (!path.startsWith('/content/')) return status(500, 'javax.jcr.AccessDeniedException', path);
  if (faults.fullDisk) return status(500, 'No space left on device', path);
  const there = await repository.node(path);
  let node: ViewNode = there ?? { properties: new Map(), children: new Map() };
  for (const [name, value] of form)
    if (!name.startsWith(':')) node = withProperty(node, name.replace(/^\.\//, '').split('/'), value);
  await repository.write(path, node);
  return there ? status(200, 'OK', path) : status(201, 'Created', path);
}

function withProperty(node: ViewNode, [name = '', ...rest]: readonly string[], value: string): ViewNode {
  if (rest.length === 0) return { ...node, properties: new Map(node.properties).set(name, value) };
  const child = node.children.get(name) ?? { properties: new Map(), children: new Map() };
  return { ...node, children: new Map(node.children).set(name, withProperty(child, rest, value)) };
}
