import { escapeHtml, html, json, notFound, type Answer } from './answer.ts';
import type { ViewNode } from './docview.ts';
import type { Repository } from './repository.ts';

const types: Readonly<Record<string, string>> = {
  css: 'text/css',
  js: 'application/javascript',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
};

/** Renders a page, or sends a file, from the content of the installed packages. */
export async function page(repository: Repository, path: string): Promise<Answer> {
  if (!/^\/(content|etc\.clientlibs|etc)\//.test(path) || path.startsWith('/etc/packages')) return notFound;
  const file = path.startsWith('/content/') ? await repository.file(path) : undefined;
  const extension = path.slice(path.lastIndexOf('.') + 1);
  if (file && !path.endsWith('.xml'))
    return {
      status: 200,
      headers: { 'content-type': types[extension] ?? 'application/octet-stream' },
      body: file,
    };
  const properties = /^(\/content\/[^.]*)\.json$/.exec(path)?.[1];
  if (properties !== undefined) return propertiesJson(repository, properties);
  if (!path.endsWith('.html')) return notFound;
  const resource = path.replace(/(\.[^/.]+)*\.html$/, '');
  const node = await repository.node(resource);
  return (node && (await render(repository, resource, node))) ?? notFound;
}

/** As Sling's default GET servlet: the properties of the node itself. */
async function propertiesJson(repository: Repository, path: string): Promise<Answer> {
  const node = await repository.node(path.replace(/(?<=\/)_([a-z]+)_/g, '$1:'));
  return node ? json(Object.fromEntries(node.properties)) : notFound;
}

async function render(repository: Repository, path: string, node: ViewNode): Promise<Answer | undefined> {
  const { properties } = node.children.get('jcr:content') ?? node;
  const type = properties.get('sling:resourceType');
  if (type === undefined || type.split('/').includes('..')) return undefined;
  const component = type.startsWith('/') ? type : `/apps/${type}`;
  for (const name of [component.slice(component.lastIndexOf('/') + 1), 'page']) {
    const script = await repository.file(`${component}/${name}.html`);
    if (script) return html(fill(script.toString('utf8'), path, properties));
  }
  return undefined;
}

/** `${resource.path}`, `${properties.jcr:title}` and `${properties['jcr:title']}`, escaped as HTL does. */
const fill = (script: string, path: string, properties: ReadonlyMap<string, string>) =>
  script
    .replace(/\$\{\s*resource\.path[^}]*\}/g, () => escapeHtml(path))
    .replace(
      /\$\{\s*properties(?:\.([\w:]+)|\[['"]([\w:]+)['"]\])[^}]*\}/g,
      (_, plain?: string, quoted?: string) => escapeHtml(properties.get((plain ?? quoted)!) ?? ''),
    );
