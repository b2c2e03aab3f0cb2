import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { dataConverter } from '../encryption/data-converter.ts';
import { Failure } from '../systems/failure.ts';
import type { Secrets } from '../systems/secrets.ts';
import { temporalConfiguration, type TemporalOptions } from '../systems/temporal/configuration.ts';
import { tracing } from '../systems/tracing/tracing.ts';
import { noAnswer } from '../systems/temporal/no-answer.ts';

const CONNECT_MS = 5_000;
const ASK_MS = 3_000;

/**
 * The two connections of a worker process: that of its workers and that of its activities.
 * @param secret where the keys come from, if what Temporal keeps is encrypted
 * @throws Failure `Unavailable` naming the address and, with TLS, what is wrong with the certificates
 */
export async function connectWorker(options: TemporalOptions, secret: Secrets) {
  const converter = { dataConverter: await dataConverter(secret) };
  const configuration = temporalConfiguration(options);
  const opened: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const each of opened.splice(0)) await each.close();
  };
  const reached = async <T>(connecting: () => Promise<T>): Promise<T> => {
    try {
      return await connecting();
    } catch (error) {
      throw new Failure('Unavailable', await noAnswer(configuration, error), { cause: error });
    }
  };
  try {
    // `connect` would not close a connection that failed.
    const forClient = Connection.lazy({ ...configuration.connection, connectTimeout: CONNECT_MS });
    opened.push(forClient);
    await reached(() => forClient.ensureConnected());
    const connection = await reached(() => NativeConnection.connect(configuration.connection));
    opened.unshift(connection);
    const { namespace } = configuration;
    const traced = await tracing();
    const plugins = traced ? { plugins: [traced.plugin] } : {};
    const client = new Client({ connection: forClient, namespace, ...converter, ...plugins });
    const ask = () =>
      reached(async () => {
        await forClient.withDeadline(Date.now() + ASK_MS, () => forClient.workflowService.getSystemInfo({}));
      });
    return { connection, client, namespace, converter, plugins, ask, close };
  } catch (error) {
    await close();
    throw error;
  }
}
