/** Where everything listens that nobody but this machine is to reach. */
export const LOOPBACK = '127.0.0.1';

/** Where something listens that others reach by the name `host`; by no name, nobody else does. */
export const interfaceFor = (host: string | undefined): string => (host === undefined ? LOOPBACK : '0.0.0.0');
