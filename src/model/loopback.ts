/** Whether a host, as it is in a URL or by itself, is this machine alone: nobody on a network reads what is sent there. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\]|::1)$/.test(host);
