import { Context } from '@temporalio/activity';
import { askEnvironment, prepareHost } from '../../src/activities/preflight.ts';
import type {
  Activities,
  BuildActivities,
  ImageActivities,
  KubernetesActivities,
  ConfigurationInput,
  EnvironmentQuestions,
  NodeActivities,
  NodeRef,
  Prepared,
  PreparationInput,
} from '../../src/model/activities.ts';
import type { AemArtifact, StoredFile } from '../../src/model/artifacts.ts';
import type { BuiltImage } from '../../src/model/images.ts';
import type { Metric } from '../../src/model/gates.ts';
import type { Dispatcher, Instance, LoadBalancer } from '../../src/model/schema/definition.ts';
import { aemArtifact, dispatcherArtifact } from '../support/definition.ts';

/** What the activities that ask many things before a deployment ask, one by one. */
interface Questions {
  preflightInstance(input: {
    instance: Instance;
    artifacts: readonly AemArtifact[];
  }): Promise<readonly string[]>;
  preflightLoadBalancer(input: BalancerQuestion): Promise<readonly string[]>;
  outOfService(input: BalancerQuestion): Promise<readonly string[]>;
  reconcileConfiguration(input: { node: NodeRef }): Promise<Omit<Prepared, 'trouble'>>;
  preflightConfiguration(input: Omit<ConfigurationInput, 'log'>): Promise<void>;
}

interface BalancerQuestion {
  readonly loadBalancer: LoadBalancer;
  readonly dispatchers: readonly Dispatcher[];
}

/** Two ask many things; one asks only the server. */
type Others = 'preflightEnvironment' | 'prepareConfiguration' | 'endLease';

/** Everything that touches the world, as one table. */
export type World = Omit<
  Activities & BuildActivities & ImageActivities & KubernetesActivities & NodeActivities,
  Others
> &
  Questions;

/** What happened, in order: `start <what>` and `end <what>`. */
export type Journal = string[];

const file: StoredFile = { key: 'results.json', sha256: '0', size: 2 };
const passed = { metrics: [], results: file };
const functionalPassed = {
  ...{ passed: true, result: 'passed: 1 tests', failures: [], report: file },
  tests: { run: 1, failed: 0, skipped: 0 },
};

const image = (role: 'aem' | 'dispatcher', digit: string): BuiltImage => ({
  ...{ role, name: `registry.example.com/site/${role}`, digest: `sha256:${digit.repeat(64)}` },
  ...{ archive: file, billOfMaterials: file },
});

export const metric = (kpi: string, severity: Metric['severity'], good: boolean): Metric => ({
  kpi,
  severity,
  expectedValue: '50',
  actualValue: good ? '60' : '40',
  comparator: 'GTE',
  passed: good,
  override: false,
});

/** A world in which everything goes well. */
const goodWorld: World = {
  validate: async () => ({ problems: [], warnings: [], commit: 'c0ffee'.repeat(6) }),
  build: async () => ({
    artifacts: [aemArtifact('site.all'), dispatcherArtifact],
    reports: { tests: { run: 3, failed: 0, skipped: 0 } },
    engine: 'local process',
  }),
  checkCodeScanner: async () => [],
  codeQuality: async () => passed,
  functionalTest: async () => functionalPassed,
  uiTest: async () => functionalPassed,
  buildImages: async ({ environments }) => ({
    builder: 'buildah 1.0',
    images: [image('aem', 'a'), image('dispatcher', 'd')],
    pushed: true,
    kubernetes: environments.map(({ id }) => ({ environmentId: id, files: [file] })),
  }),
  checkRegistry: async () => [],
  applyKubernetes: async () => ({ applied: 1 }),
  waitForRollout: async () => undefined,
  undoRollout: async () => ({ serving: 'before' }),
  copyArtifacts: async ({ artifacts }) => artifacts,
  securityTest: async () => passed,
  loadTest: async () => passed,
  assetsTest: async () => passed,
  productFunctionalTest: async () => functionalPassed,
  preflightInstance: async () => [],
  installPackage: async () => ({ how: 'installed', seconds: 1 }),
  preflightLoadBalancer: async () => [],
  outOfService: async () => [],
  detachDispatcher: async () => ({ at: new Date().toISOString() }),
  attachDispatcher: async () => ({ at: new Date().toISOString() }),
  probeDispatcher: async () => ({ good: true, answer: '200' }),
  recordExecution: async () => file,
  keepReport: async () => file,
  checkAgent: async () => [],
  preflightConfiguration: async () => undefined,
  backUpConfiguration: async () => undefined,
  replaceConfiguration: async () => ({ written: 1, removed: 1, ignored: [] }),
  testConfiguration: async () => undefined,
  reloadHttpd: async () => undefined,
  restoreConfiguration: async () => 'old',
  reconcileConfiguration: async () => ({ state: 'old', done: [] }),
  flushPaths: async ({ flush }) =>
    flush.map((path) => ({ path, action: 'flush', ok: true, answer: '200 OK' })),
};

interface Named {
  readonly instance?: { readonly id: string };
  readonly dispatcher?: { readonly id: string };
  readonly node?: { readonly nodeId: string; readonly environmentId: string };
  readonly cluster?: { readonly namespace: string };
  readonly part?: string;
}

const nameOf = (activity: string, { instance, dispatcher, node, cluster, part }: Named) =>
  [activity, instance?.id ?? dispatcher?.id ?? node?.nodeId, cluster?.namespace, part]
    .filter(Boolean)
    .join(' ');

/** The good world with some of it replaced for one test; `begin` before each. */
export class ScriptedWorld {
  journal: Journal = [];
  private script: Partial<World> = {};

  begin(script: Partial<World> = {}): void {
    this.journal = [];
    this.script = script;
  }

  /** Replaces more of the world while a test runs. */
  change(script: Partial<World>): void {
    this.script = { ...this.script, ...script };
  }

  /** Every activity, as workers register it. */
  readonly activities = {
    ...Object.fromEntries(
      (Object.keys(goodWorld) as (keyof World)[]).map((name) => [
        name,
        (input: unknown) => this.play(name, input),
      ]),
    ),
    preflightEnvironment: (input: EnvironmentQuestions) =>
      askEnvironment(
        input,
        {
          instance: (instance, artifacts) => this.play('preflightInstance', { instance, artifacts }),
          loadBalancer: (loadBalancer, dispatchers) =>
            this.play('preflightLoadBalancer', { loadBalancer, dispatchers }),
          outOfService: (loadBalancer, dispatchers) =>
            this.play('outOfService', { loadBalancer, dispatchers }),
        },
        Context.current().cancellationSignal,
      ),
    prepareConfiguration: ({ node, replacement, log }: PreparationInput) =>
      prepareHost(
        { node, replacement, log },
        {
          reconcile: () => this.play('reconcileConfiguration', { node }),
          preflight: (what) => this.play('preflightConfiguration', { node, ...what }),
        },
        Context.current().cancellationSignal,
      ),
  };

  private async play<T>(name: keyof World, input: unknown): Promise<T> {
    const what = nameOf(name, input as Named);
    this.journal.push(`start ${what}`);
    const table = { ...goodWorld, ...this.script } as unknown as Record<
      string,
      (asked: unknown) => Promise<T>
    >;
    try {
      return await table[name]!(input);
    } finally {
      this.journal.push(`end ${what}`);
    }
  }

  /** The activities that came to an end, in order. */
  done(...names: string[]): string[] {
    return this.journal
      .filter((line) => line.startsWith('end '))
      .map((line) => line.slice('end '.length))
      .filter((what) => names.length === 0 || names.some((name) => what.startsWith(name)));
  }
}
