import { askHttp } from '../../http-ask.ts';
import { require } from './checklist.ts';
import type { Granite } from '../../granite.ts';

/** A page of the tests' own, beside a page of the site, so that the site's component renders it and visitors may see it. */
export interface TestPage {
  readonly path: string;
  /** Path of the page that it is made like; absent where none is known. */
  readonly like?: string;
}

/** @param probe what every healthy dispatcher answers */
export function testPage(probe: string, executionId: string): TestPage {
  const like = /^(\/content\/[^.]+)\.html$/.exec(probe)?.[1];
  const parent = like === undefined ? '/content' : like.slice(0, like.lastIndexOf('/'));
  return { path: `${parent}/fairway-product-test-${executionId}`, like };
}

const contentOf = (path: string) => `${path}/_jcr_content.json`;

/** What a page says of itself; undefined when it is not there. */
async function propertiesOf(
  instance: Granite,
  path: string,
  signal?: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  const { status, body } = await instance.get(contentOf(path), signal);
  if (status === 404) return undefined;
  require(status === 200, `${contentOf(path)} answered ${status}`);
  return JSON.parse(body) as Record<string, unknown>;
}

export const titleOf = async (
  instance: Granite,
  path: string,
  signal?: AbortSignal,
): Promise<string | undefined> => {
  const properties = await propertiesOf(instance, path, signal);
  return properties && String(properties['jcr:title']);
};

/** Makes the page, with the component and the template of the one that it is like. @param isAem Sling has no `cq:Page` */
export async function createPage(
  author: Granite,
  { path, like }: TestPage,
  title: string,
  isAem: boolean,
  signal: AbortSignal,
): Promise<void> {
  const model = like === undefined ? {} : await propertiesOf(author, like, signal);
  require(model !== undefined, `there is no page ${like ?? ''} to make one like it`);
  const taken = ['sling:resourceType', 'cq:template'].flatMap((name) =>
    typeof model[name] === 'string' ? [[`jcr:content/${name}`, model[name]] as const] : [],
  );
  const { status, body } = await author.post(
    path,
    {
      'jcr:primaryType': isAem ? 'cq:Page' : 'nt:unstructured',
      'jcr:content/jcr:primaryType': isAem ? 'cq:PageContent' : 'nt:unstructured',
      'jcr:content/jcr:title': title,
      'jcr:content/hideInNav': 'true',
      ...Object.fromEntries(taken),
    },
    signal,
  );
  require(status === 201, `the creation of ${path} was answered ${status}: ${body.slice(0, 200)}`);
}

export async function retitle(
  instance: Granite,
  path: string,
  title: string,
  signal: AbortSignal,
): Promise<void> {
  const { status } = await instance.post(path, { 'jcr:content/jcr:title': title }, signal);
  require(status === 200, `a change of ${path} was answered ${status}`);
}

/** Sling: 404 for what is not there. */
export async function deletePage(instance: Granite, path: string, signal: AbortSignal): Promise<void> {
  const { status } = await instance.post(path, { ':operation': 'delete' }, signal);
  require([200, 204, 404].includes(status), `the deletion of ${path} was answered ${status}`);
}

/** AEM 6.5, "Replication": the answer says that the request is queued. */
export async function replicate(
  author: Granite,
  command: 'Activate' | 'Deactivate',
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const { status, body } = await author.post('/bin/replicate.json', { cmd: command, path }, signal);
  require(status === 200, `${command} of ${path} was answered ${status}: ${body.slice(0, 200)}`);
}

/** The page as visitors see it; undefined when they do not. */
export async function shownBy(
  url: string,
  path: string,
  { host, signal }: { readonly host?: string; readonly signal?: AbortSignal },
): Promise<string | undefined> {
  const { status, body } = await askHttp(new URL(`${path}.html`, url), { host, signal });
  if (status === 404) return undefined;
  require(status === 200, `${path}.html answered ${status}`);
  return body;
}
