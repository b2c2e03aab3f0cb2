import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Failure } from '../systems/failure.ts';
import { freePorts } from '../systems/free-ports.ts';

export { freePorts };

/** The port of something that listens on loopback; `wish` is taken if nobody has it. */
export type Ports = (what: string, wish?: number) => Promise<number>;

/** Any free ones, none of them twice. */
export function anyPorts(): Ports {
  const given = new Set<number>();
  return async () => {
    for (;;) {
      const [port = 0] = await freePorts(1);
      if (given.has(port)) continue;
      given.add(port);
      return port;
    }
  };
}

/**
 * The same ones at every start, kept in `file`; chosen at the first.
 * @throws Failure `Conflict` when somebody else listens there now
 */
export function rememberedPorts(file: string): Ports {
  const ports = readPorts(file);
  const any = anyPorts();
  return async (what, wish) => {
    const known = ports[what];
    if (known !== undefined) {
      if (await isFree(known)) return known;
      throw new Failure(
        'Conflict',
        `port ${known} of ${what} is taken: end who has it (perhaps another "npm start"), or delete ${file} so that ` +
          'other ports are chosen, and apply the definition again',
      );
    }
    const taken = Object.values(ports);
    let port = wish !== undefined && !taken.includes(wish) && (await isFree(wish)) ? wish : await any(what);
    while (taken.includes(port)) port = await any(what);
    ports[what] = port;
    writeFileSync(file, `${JSON.stringify(ports, null, 2)}\n`);
    return port;
  };
}

function readPorts(file: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Failure('InvalidInput', `${file} cannot be read: delete it`, { cause });
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
