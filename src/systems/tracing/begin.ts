import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { OpenTelemetryPlugin } from '@temporalio/interceptors-opentelemetry';
import { pause } from '../pause.ts';
import type { Tracing } from './tracing.ts';

const FLUSH_MS = 3_000;

/** Spans go out as JSON over HTTP; the variables of OpenTelemetry say where, what of, and in whose name. */
export function beginTracing(): Tracing {
  const resource = new Resource({ 'service.name': 'fairway' }).merge(
    detectResourcesSync({ detectors: [envDetectorSync] }),
  );
  const spanProcessor = new BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new NodeTracerProvider({ resource, spanProcessors: [spanProcessor] });
  provider.register();
  const outgoing = new UndiciInstrumentation({
    requireParentforSpans: true,
    // A performance test would be thousands.
    ignoreRequestHook: ({ headers }) => String(headers).includes('fairway-load-test'),
    // The path of a webhook may be its secret, and that of a page what a visitor looks for.
    startSpanHook: ({ origin }) => ({ 'url.full': origin, 'url.path': '', 'url.query': '' }),
  });
  outgoing.setTracerProvider(provider);
  return {
    plugin: new OpenTelemetryPlugin({ resource, spanProcessor }),
    async flush() {
      const enough = new AbortController();
      await Promise.race([
        spanProcessor.forceFlush().catch(() => undefined),
        pause(FLUSH_MS, enough.signal).catch(() => undefined),
      ]);
      enough.abort();
    },
  };
}
