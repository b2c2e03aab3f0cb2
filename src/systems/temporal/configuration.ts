import { loadClientConnectConfig } from '@temporalio/envconfig';
import { Failure, messageOf } from '../failure.ts';

const DEFAULT_ADDRESS = 'localhost:7233';

export interface TemporalOptions {
  /** `host:port` of the Temporal Service. */
  readonly address?: string;
  readonly namespace?: string;
  /** A profile of Temporal's configuration file. */
  readonly profile?: string;
}

type Connecting = ReturnType<typeof loadClientConnectConfig>['connectionOptions'];

/** How to connect: what clients and workers of the SDK take alike. */
export interface TemporalConfiguration {
  readonly connection: Pick<Connecting, 'tls' | 'apiKey' | 'metadata'> & { readonly address: string };
  readonly namespace: string;
}

/**
 * How to reach the Temporal Service, as Temporal's own command finds it: from the profile in its configuration file
 * (`~/.config/temporalio/temporal.toml` or `TEMPORAL_CONFIG_FILE`), the variables `TEMPORAL_ADDRESS`,
 * `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_...`, and the options, each before the one named earlier.
 * @throws Failure `InvalidInput` when the configuration cannot be read
 */
export function temporalConfiguration(options: TemporalOptions): TemporalConfiguration {
  const { profile } = options;
  let found;
  try {
    found = loadClientConnectConfig(profile === undefined ? {} : { profile });
  } catch (error) {
    throw new Failure('InvalidInput', `Temporal's client configuration: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const { address, tls, apiKey, metadata } = found.connectionOptions;
  return {
    connection: { address: options.address ?? address ?? DEFAULT_ADDRESS, tls, apiKey, metadata },
    namespace: options.namespace ?? found.namespace ?? 'default',
  };
}
