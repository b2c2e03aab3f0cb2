import type { Activities, BuildActivities, NodeActivities } from '../../src/model/activities.ts';
import type { StoredFile } from '../../src/model/artifacts.ts';
import type { Metric } from '../../src/model/gates.ts';
import { aemArtifact, dispatcherArtifact } from '../support/definition.ts';

/** Everything that touches the world, as one table. */
export type World = Activities & BuildActivities & NodeActivities;

/** What happened, in order: `start <what>` and `end <what>`. */
export type Journal = string[];

const file: StoredFile = { key: 'results.json', sha256: '0', size: 2 };
const passed = { metrics: [], results: file };

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
  codeQuality: async () => passed,
  securityTest: async () => passed,
  loadTest: async () => passed,
  preflightInstance: async () => [],
  installPackage: async () => ({ how: 'installed', seconds: 1 }),
  preflightLoadBalancer: async () => [],
  outOfService: async () => [],
  detachDispatcher: async () => ({ at: new Date().toISOString() }),
  attachDispatcher: async () => ({ at: new Date().toISOString() }),
  probeDispatcher: async () => ({ good: true, answer: '200' }),
  recordExecution: async () => file,
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
}

const nameOf = (activity: string, { instance, dispatcher, node }: Named) =>
  [activity, instance?.id ?? dispatcher?.id ?? node?.nodeId].filter(Boolean).join(' ');

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
  readonly activities = Object.fromEntries(
    (Object.keys(goodWorld) as (keyof World)[]).map((name) => [
      name,
      async (input: Named) => {
        const what = nameOf(name, input);
        this.journal.push(`start ${what}`);
        const table = { ...goodWorld, ...this.script } as unknown as Record<
          string,
          (asked: Named) => unknown
        >;
        try {
          return await table[name]?.(input);
        } finally {
          this.journal.push(`end ${what}`);
        }
      },
    ]),
  );

  /** The activities that came to an end, in order. */
  done(...names: string[]): string[] {
    return this.journal
      .filter((line) => line.startsWith('end '))
      .map((line) => line.slice('end '.length))
      .filter((what) => names.length === 0 || names.some((name) => what.startsWith(name)));
  }
}
