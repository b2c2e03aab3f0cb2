import type { OpenTelemetryPlugin } from '@temporalio/interceptors-opentelemetry';

/** How this process tells OpenTelemetry what it does. */
export interface Tracing {
  /** For clients and workers of Temporal: carries a trace through workflows and activities. */
  readonly plugin: OpenTelemetryPlugin;
  /** Sends what is not sent yet; gives up after a moment, and never fails. */
  flush(): Promise<void>;
}

let begun: Promise<Tracing | undefined> | undefined;

/**
 * Tracing, begun at the first call where OpenTelemetry's variables name somebody to send traces to. Otherwise undefined, and
 * nothing of OpenTelemetry is loaded.
 */
export const tracing = (): Promise<Tracing | undefined> =>
  (begun ??= isAskedFor(process.env)
    ? import('./begin.ts').then(({ beginTracing }) => beginTracing())
    : Promise.resolve(undefined));

/** To be awaited before a process ends. */
export const flushTraces = async (): Promise<void> => (await begun)?.flush();

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/; without an address it stays off. */
export function isAskedFor(env: NodeJS.ProcessEnv): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  const exporter = env['OTEL_TRACES_EXPORTER'];
  if (exporter) return exporter === 'otlp';
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
}
