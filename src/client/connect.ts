import { Client, Connection } from '@temporalio/client';
import { dataConverter } from '../encryption/data-converter.ts';
import { Failure } from '../systems/failure.ts';
import type { Secrets } from '../systems/secrets.ts';
import { temporalConfiguration, type TemporalOptions } from '../systems/temporal/configuration.ts';
import { noAnswer } from '../systems/temporal/no-answer.ts';
import { tracing } from '../systems/tracing/tracing.ts';
import { QUERY_MS } from './calls.ts';
import { FairwayError } from './fairway-error.ts';

/**
 * Connects to a Temporal Service as Temporal's own command does.
 * @param secret where the keys come from, if what Temporal keeps is encrypted
 * @throws FairwayError `unavailable` naming the address and, with TLS, what is wrong with the certificates; `refused`
 * when the configuration or the keys cannot be read
 */
export async function connectTemporal(options: TemporalOptions, secret: Secrets): Promise<Client> {
  const configuration = understood(() => temporalConfiguration(options));
  const converter = await dataConverter(secret).catch(refused);
  // `connect` would not close a connection that failed.
  const connection = Connection.lazy({ ...configuration.connection, connectTimeout: QUERY_MS });
  try {
    await connection.ensureConnected();
  } catch (error) {
    await connection.close();
    throw new FairwayError('unavailable', await noAnswer(configuration, error), error);
  }
  const traced = await tracing();
  return new Client({
    ...{ connection, namespace: configuration.namespace, dataConverter: converter },
    ...(traced && { plugins: [traced.plugin] }),
  });
}

function refused(error: unknown): never {
  throw error instanceof Failure ? new FairwayError('refused', error.message, error) : error;
}

function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    return refused(error);
  }
}
