import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { run, type Finished, type RunOptions } from '../../src/systems/process.ts';

/**
 * A host of its own, as far as the network goes: a network namespace with a cable to this machine. Visitors reach one port
 * of it and nothing else; it reaches some ports of this machine and nothing else. Needs root.
 */
export class SeparateHost {
  readonly #name = `fairway-${process.pid}`;
  /** The end of the cable that is plugged in here. */
  readonly #plug = `fw${process.pid}`;
  /** The addresses of both ends, of the range that is there for tests of networks. */
  readonly here = `198.18.${process.pid % 256}.1`;
  readonly there = `198.18.${process.pid % 256}.2`;

  /** What a program is started with to run on the host. */
  get launcher(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** @throws where this process may not do so: such a test must not be passed over in silence */
  async start(): Promise<void> {
    process.once('exit', this.#remove);
    const name = this.#name;
    await done('ip', ['netns', 'add', name]);
    const plugs = [this.#plug, 'type', 'veth', 'peer', 'name', 'cable', 'netns', name];
    await done('ip', ['link', 'add', ...plugs]);
    await done('ip', ['address', 'add', `${this.here}/30`, 'dev', this.#plug]);
    await done('ip', ['link', 'set', this.#plug, 'up']);
    await done('ip', ['-n', name, 'address', 'add', `${this.there}/30`, 'dev', 'cable']);
    await done('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    await this.connect();
  }

  /**
   * @param visitors the port that is reached there
   * @param reached the ports of this machine that are reached from there
   */
  async guard(visitors: number, reached: readonly number[]): Promise<void> {
    const [nft = '', ...args] = [...this.launcher, 'nft', '-f', '-'];
    await done(
      nft,
      args,
      `table inet fairway {
        chain in {
          type filter hook input priority 0; policy drop;
          iif "lo" accept; ct state established,related accept; tcp dport ${visitors} accept;
        }
        chain out {
          type filter hook output priority 0; policy drop;
          oif "lo" accept; ct state established,related accept;
          ip daddr ${this.here} tcp dport { ${reached.join(', ')} } accept;
        }
      }`,
    );
  }

  /** Pulls the cable. */
  disconnect(): Promise<void> {
    return done('ip', ['-n', this.#name, 'link', 'set', 'cable', 'down']);
  }

  connect(): Promise<void> {
    return done('ip', ['-n', this.#name, 'link', 'set', 'cable', 'up']);
  }

  /** Runs a program on the host to its end. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Finished> {
    const [command = '', ...before] = this.launcher;
    return run(command, [...before, program, ...args], options);
  }

  async stop(): Promise<void> {
    process.off('exit', this.#remove);
    this.#remove();
  }

  /** The cable goes with the namespace, unless something still runs there. */
  readonly #remove = (): void => {
    spawnSync('ip', ['link', 'delete', this.#plug]);
    spawnSync('ip', ['netns', 'delete', this.#name]);
  };
}

async function done(program: string, args: readonly string[], input?: string): Promise<void> {
  const { code, stderr } = await run(program, args, input === undefined ? {} : { input });
  assert.equal(
    code,
    0,
    `this test makes a network namespace: it needs root, ip and nft (Debian: iproute2 nftables): ${stderr.trim()}`,
  );
}
