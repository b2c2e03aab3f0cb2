import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';

/**
 * Where webhooks may be. Whoever may define one would otherwise reach, through the worker, what only the worker
 * reaches: the load balancer's socket, AEM's consoles, the metadata service of a cloud.
 */
export interface Destinations {
  /** Why nothing is sent to this address; undefined when it may be. Names are looked at when they are connected to. */
  refusal(url: URL): string | undefined;
  /** Connects to allowed addresses only, whatever a name resolves to at that moment. */
  readonly dispatcher: Dispatcher;
}

/** Reserved networks of IPv4, by IANA's registry of special purposes. */
const reserved4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
/** Of the public part of IPv6: documentation, and what leads on to an address of IPv4. */
const reserved6: readonly (readonly [string, number])[] = [
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
];

/** `networks`: those allowed besides public addresses, as `10.1.0.0/16`. */
export function destinations(networks: readonly string[]): Destinations {
  const allowed = new BlockList();
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    allowed.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  const refused = new BlockList();
  for (const [address, bits] of reserved4) refused.addSubnet(address, bits, 'ipv4');
  for (const [address, bits] of reserved6) refused.addSubnet(address, bits, 'ipv6');
  const publicSix = new BlockList();
  publicSix.addSubnet('2000::', 3, 'ipv6');

  const isAllowed = (address: string): boolean => {
    if (isIP(address) === 4) return allowed.check(address) || !refused.check(address);
    if (allowed.check(address, 'ipv6')) return true;
    return publicSix.check(address, 'ipv6') && !refused.check(address, 'ipv6');
  };
  const why = (host: string, address = host) =>
    `${host === address ? host : `${host} is ${address}, which`} is not a public address; ` +
    'the setting events.networks of the workers allows others';

  const lookup: LookupFunction = (host, options, done) =>
    resolve(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return done(error, '');
      const wrong = found.find(({ address }) => !isAllowed(address));
      if (wrong) return done(new Error(why(host, wrong.address)), '');
      const [first] = found;
      return options.all ? done(null, found) : done(null, first?.address ?? '', first?.family);
    });

  return {
    refusal({ hostname }) {
      const host = hostname.replace(/^\[(.*)\]$/, '$1');
      return isIP(host) === 0 || isAllowed(host) ? undefined : why(host);
    },
    dispatcher: new Agent({ connect: { lookup }, connections: 50 }),
  };
}
