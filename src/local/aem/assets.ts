import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { html, json, type Answer } from './answer.ts';
import type { Faults } from './faults.ts';
import type { Repository } from './repository.ts';

const API = '/api/assets';
const DAM = '/content/dam';
const JSON_LIMIT = 100_000;

const status = (code: number, message: string) =>
  html(`<html><head><title>${code}</title></head><body>${message}</body></html>`, code);

/**
 * AEM's Assets HTTP API (AEM 6.5, "Assets HTTP API") as far as folders and whole files go: 201, 409 for what is there
 * already, 500 without a parent or space, 404 for what is not there.
 */
export async function assets(
  request: IncomingMessage,
  path: string,
  { repository, faults, uploads }: { repository: Repository; faults: Faults; uploads: string },
): Promise<Answer> {
  const name = path
    .slice(API.length)
    .replace(/\.json$/, '')
    .replace(/\/$/, '');
  if (name.split('/').some((part) => part.startsWith('.'))) return status(500, 'Invalid path');
  const place = repository.at(`${DAM}${name}`);
  const found = await kind(place);
  if (request.method === 'GET') return found ? listing(name, place, found) : status(404, 'Not found');
  if (request.method === 'DELETE') {
    if (!found || name === '') return status(found ? 412 : 404, 'Not found');
    await rm(place, { recursive: true });
    return status(200, 'OK');
  }
  if (request.method !== 'POST') return status(405, 'Method not allowed');
  if (found) return status(409, 'Already exists');
  if (faults.fullDisk) return status(500, 'No space left on device');
  const parent = name.slice(0, name.lastIndexOf('/'));
  if (parent !== '' && (await kind(repository.at(`${DAM}${parent}`))) !== 'folder')
    return status(500, 'Parent does not exist');
  if (/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    if (!(await isFolderEntity(request))) return status(500, 'Not a Siren entity of class assetFolder');
    await mkdir(place, { recursive: true });
    return status(201, 'Created');
  }
  // A file that is still arriving is no asset.
  const arriving = join(uploads, `asset-${randomUUID()}`);
  try {
    await pipeline(request, createWriteStream(arriving));
    await rename(arriving, place);
  } finally {
    await rm(arriving, { force: true });
  }
  return status(201, 'Created');
}

async function kind(place: string): Promise<'folder' | 'file' | undefined> {
  const found = await stat(place).catch(() => undefined);
  return found && (found.isDirectory() ? 'folder' : 'file');
}

/** Siren (https://github.com/kevinswiber/siren). */
async function listing(name: string, place: string, found: 'folder' | 'file'): Promise<Answer> {
  const children = found === 'folder' ? (await readdir(place)).sort() : [];
  return json({
    class: [found === 'folder' ? 'assets/folder' : 'assets/asset'],
    properties: { name: name.slice(name.lastIndexOf('/') + 1) },
    entities: children.map((child) => ({ rel: ['child'], properties: { name: child } })),
  });
}

async function isFolderEntity(request: IncomingMessage): Promise<boolean> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk as string;
    if (body.length > JSON_LIMIT) return false;
  }
  try {
    return (JSON.parse(body) as { class?: unknown }).class === 'assetFolder';
  } catch {
    return false;
  }
}
