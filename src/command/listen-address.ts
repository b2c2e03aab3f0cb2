import { InvalidArgumentError, Option } from 'commander';

/** Where a server of ours listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `--listen`, on a loopback port unless said otherwise. */
export const listenOption = (port: number): Option =>
  new Option('--listen <address>', 'host:port, or a port of this machine alone')
    .argParser(listenAddress)
    .default(listenAddress(`${port}`), `127.0.0.1:${port}`);

/** `host:port`, or a port on loopback. */
export function listenAddress(text: string): ListenAddress {
  const [, six, four, port = ''] = /^(?:(?:\[([\da-f:]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535)
    throw new InvalidArgumentError('a port, or host:port, such as 127.0.0.1:8090 or [::1]:8090.');
  return { host: six ?? four ?? '127.0.0.1', port: Number(port) };
}
