import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Where the connection of a request is cut: after so many bytes of the request, or of its answer. */
export interface Cut {
  /** The first request whose beginning fits. */
  readonly request: RegExp;
  readonly side: 'request' | 'answer';
  /** The length of what is sent is known only then. */
  readonly after: (length: number) => number;
}

export interface CuttingProxy {
  readonly url: string;
  /** Whether the cut has been made. */
  readonly done: () => boolean;
  close(): Promise<void>;
}

/** Stands between a client and a server of HTTP, byte for byte, until it cuts one connection at both its ends. */
export async function cuttingProxy(targetPort: number, cut: Cut): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let chosen = false;
  let done = false;
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    const both = [client, upstream];
    const sever = () => both.forEach((socket) => socket.destroy());
    for (const socket of both) {
      open.add(socket);
      socket.on('error', sever).on('close', () => open.delete(socket));
    }
    let left = Infinity;
    /** Passes on what may pass. */
    const pass = (chunk: Buffer, to: Socket, limited: boolean) => {
      if (!limited || chunk.length < left) {
        to.write(chunk);
        if (limited) left -= chunk.length;
        return;
      }
      done = true;
      // What came before the cut is to arrive; the end that follows it is no regular one for HTTP.
      to.end(chunk.subarray(0, left), sever);
      left = 0;
    };
    let head: Buffer = Buffer.alloc(0);
    let mine = false;
    client.on('data', (chunk: Buffer) => {
      if (head.length === 0) {
        head = chunk;
        mine = !chosen && cut.request.test(chunk.toString('latin1'));
        chosen ||= mine;
        if (mine) left = cut.after(cut.side === 'request' ? lengthOf(chunk) : 1_000);
      }
      if (!done || !mine) pass(chunk, upstream, mine && cut.side === 'request');
    });
    upstream.on('data', (chunk: Buffer) => {
      if (!done || !mine) pass(chunk, client, mine && cut.side === 'answer');
    });
    client.on('end', () => upstream.end());
    upstream.on('end', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    done: () => done,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Of a whole request, headers and body, from its beginning. */
function lengthOf(beginning: Buffer): number {
  const text = beginning.toString('latin1');
  const headers = text.indexOf('\r\n\r\n') + 4;
  return headers + Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
}
