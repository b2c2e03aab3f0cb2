import { connect } from 'node:net';
import { Failure } from '../failure.ts';
import { findServer } from './find-server.ts';
import type { LoadBalancer, ServerState, ServerStatus } from './load-balancer.ts';

const TIME_OUT_MS = 5_000;
const POLL_MS = 25;
const PATIENCE = { sessionsMs: 60_000, checksMs: 60_000 };
/** Of `show stat`, in characters; a thousand servers take half a megabyte. */
const LONGEST_ANSWER = 20_000_000;

/** One backend of a HAProxy, through its runtime API on a socket of `level admin`. */
export function haproxy({ socket, backend }: { socket: string; backend: string }): LoadBalancer {
  const name = `backend ${backend}`;

  /**
   * Asks and names the process that answers, on one connection: while HAProxy is reloaded, its predecessor may take the next.
   * @returns the answers that come before `show info`, as one
   */
  const askOne = async (commands: readonly string[]) => {
    const text = await ask(socket, [...commands, 'show info'].join(';'));
    const info = text.search(/^Name: /m);
    // In a container every process has the same number.
    const incarnation = ['Pid', 'Start_time_sec'].map(
      (key) => new RegExp(`^${key}: (\\d+)`, 'm').exec(text)?.[1],
    );
    return { answer: text.slice(0, Math.max(info, 0)).trim(), incarnation: incarnation.join(' ') };
  };

  const look = async () => {
    const { answer, incarnation } = await askOne(['show stat']);
    const rows = table(answer).filter((row) => row.pxname === backend);
    if (rows.length === 0)
      throw new Failure('Missing', `HAProxy on ${socket} has no backend ${backend}: correct "backend"`);
    const states = rows.filter((row) => !['FRONTEND', 'BACKEND'].includes(row.svname ?? '')).map(serverState);
    return { servers: states, incarnation };
  };
  const servers = async () => (await look()).servers;

  /** Looks first: that names an unknown server better than HAProxy does, and only existing names reach its socket. */
  const find = async (server: string) => findServer(name, await servers(), server);

  const change = async (server: string, ...changes: string[]) => {
    const { answer, incarnation } = await askOne(
      changes.map((words) => `set server ${backend}/${server} ${words}`),
    );
    if (answer) throw new Failure('Rejected', `HAProxy refused to change ${backend}/${server}: ${answer}`);
    return incarnation;
  };

  return {
    ...{ name, servers, look, pollMs: POLL_MS, patience: async () => PATIENCE },
    async drain(server) {
      await find(server);
      await change(server, 'state drain');
    },
    async maintain(server) {
      await find(server);
      return change(server, 'state maint');
    },
    async ready(server) {
      const { status } = await find(server);
      // HAProxy trusts a server that leaves maintenance until a check fails, and sends it visitors. Declared down in
      // the same breath, it gets them only after as many new good checks as its "rise" demands.
      return change(server, 'state ready', ...(status === 'maintenance' ? ['health down'] : []));
    },
  };
}

function serverState(row: Record<string, string>): ServerState {
  const check = row.check_status ? `, last check ${row.check_status} ${row.last_chk ?? ''}`.trimEnd() : '';
  return {
    name: row.svname ?? '',
    status: statusOf(row),
    sessions: Number(row.scur || 0) + Number(row.qcur || 0),
    words: `${row.status}${check}`,
  };
}

/** Column `status` of `show stat`: `UP`, `UP 1/2`, `DOWN 1/2`, `MAINT (via x/y)`, `DRAIN`, `NOLB`, `no check`. */
function statusOf({ status = '', check_status: check = '' }: Record<string, string>): ServerStatus {
  if (status.startsWith('MAINT')) return 'maintenance';
  if (status.startsWith('DRAIN') || status.startsWith('NOLB')) return 'drain';
  if (status.startsWith('DOWN')) return 'down';
  if (status === 'no check') return 'unchecked';
  return status === 'UP' && check.includes('OK') ? 'up' : 'uncertain';
}

/** The CSV of `show stat`: a first line `# pxname,svname,…`. Quoted fields hold no line breaks. */
function table(csv: string): Record<string, string>[] {
  const [head = '', ...lines] = csv.split('\n').filter((line) => line !== '');
  const columns = fields(head.replace(/^# /, ''));
  return lines.map((line) => Object.fromEntries(fields(line).map((value, i) => [columns[i] ?? '', value])));
}

const fields = (line: string): string[] =>
  [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, value = '']) =>
    value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value,
  );

/** Asks one line on a connection of its own; HAProxy closes it after the answer. */
function ask(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const connection = connect(socket);
    const fail = (reason: string, cause?: unknown) => {
      connection.destroy();
      reject(
        new Failure(
          'Unavailable',
          `HAProxy does not answer on ${socket}: ${reason}. Is it running, with "stats socket ${socket} level admin", ` +
            'and may this user open the socket?',
          { cause },
        ),
      );
    };
    connection
      .setEncoding('utf8')
      .setTimeout(TIME_OUT_MS, () => fail(`nothing within ${TIME_OUT_MS / 1000} s`))
      .on('connect', () => connection.write(`${command}\n`))
      .on('data', (text: string) => {
        answer += text;
        if (answer.length > LONGEST_ANSWER) fail('its answer is too long');
      })
      .on('error', (error) => fail(error.message, error))
      .on('close', () => (answer ? resolve(answer) : fail('it closed the connection without an answer')));
  });
}
