import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A publish instance whose pages say their URL and how often they have been made. */
export interface TestPublish {
  readonly url: string;
  /** URLs asked for, in order. */
  readonly asked: string[];
  /** Headers of the answers, besides the type. */
  headers: Record<string, string>;
  /** How long an answer takes, in milliseconds. */
  takes: number;
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
      await delay(publish.takes);
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
    takes: 0,
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
