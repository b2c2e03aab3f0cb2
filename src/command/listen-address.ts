import { InvalidArgumentError } from 'commander';

/** Where a server of ours listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, or a port on loopback. */
export function listenAddress(text: string): ListenAddress {
  const [, six, four, port = ''] = /^(?:(?:\[([\da-f:]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535)
    throw new InvalidArgumentError('a port, or host:port, such as 127.0.0.1:8090 or [::1]:8090.');
  return { host: six ?? four ?? '127.0.0.1', port: Number(port) };
}
