import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface OutageProxy {
  readonly address: string;
  /** Passes everything on, as at the beginning. */
  open(): void;
  /** Accepts connections and what they send, and lets nobody hear of it. */
  silence(): void;
  /** Cuts the connections that there are; accepts others and cuts them too. */
  cut(): void;
  /** Bytes that came from clients while it was silent. */
  swallowed(): number;
  close(): Promise<void>;
}

/** Stands between clients and a server, and takes the server away from them. */
export async function outageProxy(target: string): Promise<OutageProxy> {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let mode: 'open' | 'silent' | 'cut' = 'open';
  let swallowed = 0;
  const server = createServer((client) => {
    if (mode === 'cut') return void client.destroy();
    const upstream = connect(Number(port), host);
    const sever = () => [client, upstream].forEach((socket) => socket.destroy());
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', sever).on('close', () => (sockets.delete(from), sever()));
      from.on('data', (chunk) => {
        if (mode === 'open') to.write(chunk);
        else if (from === client) swallowed += chunk.length;
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cutAll = () => sockets.forEach((socket) => socket.destroy());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    open() {
      // A connection that bytes were taken from can never be right again.
      if (mode === 'silent') cutAll();
      mode = 'open';
    },
    silence() {
      swallowed = 0;
      mode = 'silent';
    },
    cut() {
      mode = 'cut';
      cutAll();
    },
    swallowed: () => swallowed,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cutAll();
      }),
  };
}
