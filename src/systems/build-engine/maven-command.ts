/** A server that says nothing for so long is given up, after some tries: by itself Maven waits half an hour each time. */
const DOWNLOAD_SILENCE_MS = 60_000;

/** How Maven is called for whatever goal. */
export const mavenCommand = ({
  repository,
  settings,
}: {
  /** Maven's local repository. */
  readonly repository: string;
  /** Settings of the worker: mirrors, proxies. */
  readonly settings?: string;
}): string[] => [
  ...['mvn', '--batch-mode', '--no-transfer-progress', `-Dmaven.repo.local=${repository}`],
  // Otherwise what a server did not have is missing for a day in a repository that builds share, and snapshots are as old.
  '--update-snapshots',
  // Maven 3.9, and before.
  ...['aether.connector.requestTimeout', 'maven.wagon.rto'].map((name) => `-D${name}=${DOWNLOAD_SILENCE_MS}`),
  // A server that is busy is asked five times more; newer Maven does so by itself.
  '-Dmaven.wagon.http.serviceUnavailableRetryStrategy.class=standard',
  ...(settings ? ['--global-settings', settings] : []),
];
