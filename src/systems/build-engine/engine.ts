export interface BuildRun {
  /** The same for every attempt of one build; letters, digits and dashes. */
  readonly id: string;
  /** Where the commands run. */
  readonly folder: string;
  /** Other folders that the build may write to. */
  readonly writable: readonly string[];
  /** Files and folders that the build may read. */
  readonly readable: readonly string[];
  /** The build's own variables; an engine adds what programs need to be found. */
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Where the commands of a build run. Files have the same paths inside as outside. */
export interface BuildEngine {
  /** `container (podman, <image>)` or `local process`. */
  readonly name: string;
  /** Why it is this one, for the log. */
  readonly why?: string;
  /** Runs one command to its end and gives its exit code. When `signal` fires nothing of it goes on running. */
  run(command: readonly string[], options: BuildRun): Promise<number>;
  /** Ends what a dead attempt of this build left running on this machine. */
  clear(id: string): Promise<void>;
}
