import { DefaultLogger, type LogEntry } from '@temporalio/worker';

/** With the fields that say which activity or workflow it is about, where it is about one. */
const line = ({ level, message, timestampNanos, meta }: LogEntry): string => {
  const { error, ...rest } = (meta ?? {}) as Record<string, unknown>;
  return JSON.stringify(
    {
      time: new Date(Number(timestampNanos / 1_000_000n)).toISOString(),
      level: level.toLowerCase(),
      message,
      ...rest,
      ...(error === undefined
        ? {}
        : { error: error instanceof Error ? (error.stack ?? error.message) : error }),
    },
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
};

/** A logger that writes one JSON object a line. */
export const jsonLogger = (write: (line: string) => void) =>
  new DefaultLogger('INFO', (entry) => write(`${line(entry)}\n`));
