import { createHash, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { httpServer, type HttpServer } from './http-server.ts';

export interface Registry extends HttpServer {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Manifests by repository and tag or digest: `site/aem:3`. */
  readonly manifests: Map<string, Buffer>;
  readonly blobs: Map<string, Buffer>;
  /** Answers that the next uploads get instead of their own. */
  readonly outages: number[];
}

const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** A registry as far as a push goes (OCI Distribution Specification 1.1, "Push"). */
export async function startRegistry(credentials?: string): Promise<Registry> {
  const [manifests, blobs] = [new Map<string, Buffer>(), new Map<string, Buffer>()];
  const outages: number[] = [];
  const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
  const server = await httpServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://registry');
    const [, name = '', kind = '', reference = ''] =
      /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(pathname) ?? [];
    const respond = async (): Promise<[number, Record<string, string>?]> => {
      if (expected && request.headers.authorization !== expected)
        return [401, { 'www-authenticate': 'Basic realm="test"' }];
      if (pathname === '/v2/') return [200];
      const { method = 'GET' } = request;
      const outage = method === 'POST' ? outages.shift() : undefined;
      if (outage) return [outage];
      if (method === 'HEAD' || method === 'GET') {
        const found = kind === 'blobs' ? blobs.get(reference) : manifests.get(`${name}:${reference}`);
        return found ? [200, { 'content-length': String(found.length) }] : [404];
      }
      if (method === 'POST') return [202, { location: `/v2/${name}/blobs/uploads/${randomUUID()}` }];
      const content = await buffer(request);
      if (kind === 'manifests') {
        const digest = digestOf(content);
        for (const one of [reference, digest]) manifests.set(`${name}:${one}`, content);
        return [201, { 'docker-content-digest': digest }];
      }
      const upload = reference.replace('uploads/', '');
      const whole = Buffer.concat([blobs.get(upload) ?? Buffer.alloc(0), content]);
      blobs.delete(upload);
      const digest = method === 'PUT' ? (searchParams.get('digest') ?? '') : upload;
      if (method === 'PUT' && digest !== digestOf(whole)) return [400];
      blobs.set(digest, whole);
      return method === 'PUT'
        ? [201, { 'docker-content-digest': digest }]
        : [202, { location: pathname, range: `0-${whole.length - 1}` }];
    };
    void respond().then(([code, headers]) => response.writeHead(code, headers).end());
  });
  return Object.assign(server, { host: server.url.replace('http://', ''), manifests, blobs, outages });
}
