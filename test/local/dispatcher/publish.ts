import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A publish instance whose pages say their URL and how often they have been made. */
export interface TestPublish {
  readonly url: string;
  /** URLs asked for, in order. */
  readonly asked: string[];
  /** Headers of the answers, besides the type. */
  headers: Record<string, string>;
  /** What an answer waits for. */
  before: () => Promise<unknown>;
  /** Ends answers half-way when true. */
  breaksOff: boolean;
  /** Headers of the last request. */
  received: NodeJS.Dict<string | string[]>;
  readonly stop: () => Promise<void>;
}

export async function startPublish(): Promise<TestPublish> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      asked.push(request.url ?? '');
      publish.received = request.headers;
      const page = `<p>${request.url} made ${asked.length}</p>`;
      await publish.before();
      const length = 'transfer-encoding' in publish.headers ? {} : { 'content-length': page.length };
      response.writeHead(200, { 'content-type': 'text/html', ...length, ...publish.headers });
      if (!publish.breaksOff) return response.end(page);
      response.write(page.slice(0, 5), () => response.destroy());
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const publish: TestPublish = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    headers: {},
    before: async () => undefined,
    breaksOff: false,
    received: {},
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return publish;
}
