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
  // Maven 3.9, and before.
  ...['aether.connector.requestTimeout', 'maven.wagon.rto'].map((name) => `-D${name}=${DOWNLOAD_SILENCE_MS}`),
  ...(settings ? ['--global-settings', settings] : []),
];
