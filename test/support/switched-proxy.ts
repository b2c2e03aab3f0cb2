import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface SwitchedProxy {
  /** `host:port`, for whoever is to be cut off at times. */
  readonly address: string;
  /** Ends every connection and lets nobody in until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/**
 * Stands between clients and a server, as the network between them, which may fail.
 * @param at where it listens; on loopback, anywhere, when absent
 */
export async function switchedProxy(
  target: string,
  { host = '127.0.0.1', port: own = 0 }: { readonly host?: string; readonly port?: number } = {},
): Promise<SwitchedProxy> {
  const { hostname, port } = new URL(`tcp://${target}`);
  const open = new Set<Socket>();
  let whole = true;
  const cut = () => {
    whole = false;
    for (const socket of open) socket.destroy();
  };
  const server = createServer((client) => {
    if (!whole) return void client.destroy();
    const upstream = connect(Number(port), hostname);
    const sever = () => [client, upstream].forEach((socket) => socket.destroy());
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', sever).on('close', () => {
        open.delete(socket);
        sever();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(own, host, resolve));
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => void (whole = true),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
