import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';

export interface ContentPackage {
  readonly group: string;
  readonly name: string;
  readonly version: string;
  /** As in properties.xml: `group:name:range,group:name`. */
  readonly dependencies?: string;
  readonly packageType?: 'application' | 'content' | 'container' | 'mixed';
  /** `none` keeps the package from being deployed. */
  readonly cloudManagerTarget?: string;
  /** Roots of filter.xml. */
  readonly filterRoots?: readonly string[];
  /** Content by path: below `jcr_root/`, or anywhere in the zip when the path starts with `/`. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

const escape = (text: string) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

/** A date of its own for every entry would make every build another zip. */
const mtime = new Date(Date.UTC(2000, 0, 1));

/** Writes a content package that Package Manager would accept. */
export function buildPackage(path: string, content: ContentPackage): Promise<void> {
  const zip = new ZipFile();
  const add = (name: string, text: string | Buffer) => zip.addBuffer(Buffer.from(text), name, { mtime });
  const { files = {}, filterRoots = [], ...properties } = content;
  add('META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\r\n\r\n');
  add('META-INF/vault/properties.xml', propertiesXml(properties));
  add('META-INF/vault/filter.xml', filterXml(filterRoots));
  zip.addEmptyDirectory('jcr_root/', { mtime });
  for (const [name, text] of Object.entries(files))
    add(name.startsWith('/') ? name.slice(1) : `jcr_root/${name}`, text);
  return write(zip, path);
}

/** Writes a dispatcher package: files by their path in the server root, links with what they point at. */
export function buildDispatcherZip(
  path: string,
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
): Promise<void> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name, { mtime });
  for (const [name, target] of Object.entries(links))
    zip.addBuffer(Buffer.from(target), name, { mtime, mode: 0o120777 });
  return write(zip, path);
}

async function write(zip: ZipFile, path: string): Promise<void> {
  zip.end();
  await pipeline(zip.outputStream as Readable, createWriteStream(path));
}

function propertiesXml(properties: Record<string, string | undefined>): string {
  const entries = Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `  <entry key="${escape(key)}">${escape(value!)}</entry>`);
  return [
    '<?xml version="1.0" encoding="utf-8" standalone="no"?>',
    '<!DOCTYPE properties SYSTEM "http://java.sun.com/dtd/properties.dtd">',
    '<properties>',
    ...entries,
    '</properties>',
    '',
  ].join('\n');
}

function filterXml(roots: readonly string[]): string {
  const filters = roots.map((root) => `  <filter root="${escape(root)}"/>`);
  return ['<workspaceFilter version="1.0">', ...filters, '</workspaceFilter>', ''].join('\n');
}
