import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../../src/local/child.ts';
import { cacheFolder } from '../../src/local/setup/prepare.ts';
import { findPythonPackages } from '../../src/local/setup/python-packages.ts';
import { httpServer, type HttpServer } from './http-server.ts';
import { until } from './until.ts';

const moto = {
  what: 'moto, which speaks the API of AWS',
  folder: 'moto-1',
  packages: ['moto==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5', 'py-partiql-parser==0.6.3', 'PyYAML==6.0.4'],
};

export interface S3Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** A server in memory that speaks S3. */
export async function s3Server(): Promise<S3Server> {
  const setUp = { env: process.env, cache: cacheFolder(), report: () => undefined };
  const PYTHONPATH = await findPythonPackages(moto, setUp);
  const folder = await mkdtemp(join(tmpdir(), 'fairway-moto-'));
  const logFile = join(folder, 'log');
  const child = startChild('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    logFile,
    env: { ...process.env, PYTHONPATH },
  });
  let url = '';
  await until(
    'moto listens',
    async () => {
      const log = await readFile(logFile, 'utf8');
      if (child.end() !== undefined) throw new Error(`moto ended: ${log}`);
      url = /Running on (http:\S+)/.exec(log)?.[1] ?? '';
      return url !== '';
    },
    120_000,
  );
  return {
    url,
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Answers instead of the server: true when it has, or has cut the connection. */
export type Fault = (asked: IncomingMessage, answer: ServerResponse) => boolean;

export interface FaultyServer extends HttpServer {
  /** What goes wrong from now on; undefined: nothing. */
  fault: Fault | undefined;
  /** Methods and addresses that were asked for, in order. */
  readonly asked: readonly string[];
}

/** Stands in front of a server and lets things go wrong. */
export async function faultyServer(behind: string): Promise<FaultyServer> {
  const asked: string[] = [];
  const server = await httpServer((question, answer) => {
    asked.push(`${question.method} ${question.url}`);
    if (faulty.fault?.(question, answer)) return;
    const onward = request(new URL(question.url ?? '/', behind), {
      method: question.method,
      headers: question.headers,
    });
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    question.pipe(onward);
  });
  const faulty: FaultyServer = { ...server, fault: undefined, asked };
  return faulty;
}
