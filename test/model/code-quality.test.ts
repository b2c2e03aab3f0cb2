import assert from 'node:assert/strict';
import {
  codeQualityMetrics,
  measureCodeQuality,
  measuresOf,
  type CodeMeasures,
} from '../../src/model/code-quality.ts';
import type { Finding, FindingSeverity, FindingType } from '../../src/model/findings.ts';
import { evaluate } from '../../src/model/gates.ts';
import { assetsMetrics, performanceMetrics } from '../../src/model/performance.ts';
import { programSchema, type Flavour } from '../../src/model/schema/definition.ts';
import { qualityGatesSchema } from '../../src/model/schema/quality-gates.ts';
import { securityMetrics } from '../../src/model/security.ts';
import { definition } from '../support/definition.ts';

const good: CodeMeasures = {
  ...{ security: 'A', reliability: 'A', debt: 0, development: 30_000, skippedTests: 0, openIssues: 0 },
  ...{ cloudServiceIssues: 0 },
  coverage: { lines: 90, coveredLines: 90, branches: 10, coveredBranches: 10 },
  ...{ lines: 1000, duplicatedLines: 0 },
};
const finding = (type: FindingType, severity: FindingSeverity, cloudService?: boolean): Finding => ({
  rule: 'r',
  severity,
  type,
  message: 'm',
  file: 'f',
  cloudService,
});

describe('the gate of code scanning', () => {
  const failing = (flavour: Flavour, code: CodeMeasures, packages: readonly Finding[] | 'failed' = []) =>
    evaluate(
      codeQualityMetrics(flavour),
      measureCodeQuality(code, packages === 'failed' ? undefined : packages),
    )
      .filter(({ passed }) => !passed)
      .map(({ kpi, severity }) => `${kpi} ${severity}`);
  const coverage = (covered: number) => ({
    coverage: { lines: 1500, coveredLines: covered, branches: 500, coveredBranches: 0 },
  });

  const table: [what: string, code: Partial<CodeMeasures>, managed: string[], cloud?: string[]][] = [
    ['nothing', {}, []],
    ['security A', { security: 'A' }, []],
    ['security B', { security: 'B' }, ['security_rating important']],
    ['security C', { security: 'C' }, ['security_rating critical', 'security_rating important']],
    ['reliability B', { reliability: 'B' }, []],
    ['reliability C', { reliability: 'C' }, []],
    ['reliability D', { reliability: 'D' }, ['reliability_rating important'], []],
    [
      'reliability E',
      { reliability: 'E' },
      ['reliability_rating important'],
      ['reliability_rating critical'],
    ],
    ['a debt of 5 %', { debt: 1500 }, []],
    ['a debt just above 5 %', { debt: 1501 }, ['sqale_rating important']],
    ['coverage above half', coverage(1001), []],
    ['coverage of half', coverage(1000), []],
    ['coverage below half that rounding would lift', coverage(999), ['coverage important']],
    ['one skipped test', { skippedTests: 1 }, []],
    ['two skipped tests', { skippedTests: 2 }, ['skipped_tests informational']],
    ['an open issue', { openIssues: 1 }, ['open_issues informational']],
    ['an issue of Cloud Service', { cloudServiceIssues: 1 }, ['cloud_service_compatibility informational']],
    ['duplicates below 1 %', { duplicatedLines: 9 }, []],
    ['duplicates of 1 %', { duplicatedLines: 10 }, []],
    [
      'duplicates just above 1 %',
      { lines: 10_000, duplicatedLines: 101 },
      ['duplicated_lines_density informational'],
    ],
  ];
  for (const [what, change, managed, cloud = managed] of table)
    it(`${what}: fails ${managed.join(', ') || 'nothing'}${cloud === managed ? '' : `; Cloud Service: ${cloud.join(', ') || 'nothing'}`}`, () => {
      assert.deepEqual(failing('aem_managed_services', { ...good, ...change }), managed);
      assert.deepEqual(failing('aem_cloud_service', { ...good, ...change }), cloud);
    });

  it('fails every metric that was not measured', () => {
    const all = codeQualityMetrics('aem_managed_services').map(({ kpi, severity }) => `${kpi} ${severity}`);
    assert.equal(all.length, 9);
    assert.deepEqual(failing('aem_managed_services', {}, 'failed'), all);
    assert.deepEqual(failing('aem_managed_services', {}), all);
    // Where only the rules over packages failed, what they add nothing to is known.
    const unknown = failing('aem_managed_services', good, 'failed');
    assert.deepEqual(
      all.filter((row) => !unknown.includes(row)),
      ['coverage important', 'skipped_tests informational', 'duplicated_lines_density informational'],
    );
  });

  it('has nothing to say against a project without code', () => {
    const empty = { lines: 0, coveredLines: 0, branches: 0, coveredBranches: 0 };
    const none = { ...measuresOf([], 0), coverage: empty, skippedTests: 0, lines: 0, duplicatedLines: 0 };
    assert.deepEqual(failing('aem_managed_services', none), []);
    assert.equal(measureCodeQuality(none, []).coverage, 100);
  });

  it('counts findings in packages by type and severity, and those of Cloud Service by their own metric', () => {
    const measured = measureCodeQuality(good, [
      finding('BUG', 'BLOCKER', true),
      finding('VULNERABILITY', 'MINOR'),
      finding('CODE_SMELL', 'MINOR', true),
      finding('SECURITY_HOTSPOT', 'BLOCKER'),
    ]);
    assert.deepEqual(
      [measured.reliability_rating, measured.security_rating, measured.sqale_rating],
      ['E', 'B', 'A'],
    );
    assert.deepEqual([measured.open_issues, measured.cloud_service_compatibility], [3, 2]);
    assert.deepEqual(failing('aem_managed_services', good, [finding('CODE_SMELL', 'INFO', true)]), [
      'open_issues informational',
      'cloud_service_compatibility informational',
    ]);
    // Packages never make the code better than it is.
    assert.equal(measureCodeQuality({ ...good, security: 'D' }, []).security_rating, 'D');
  });
});

describe('ratings', () => {
  it('follow the worst finding of their type', () => {
    const rated = (severity: FindingSeverity) =>
      measuresOf([finding('BUG', severity), finding('BUG', 'INFO')], 10);
    assert.deepEqual(
      (['BLOCKER', 'CRITICAL', 'MAJOR', 'MINOR', 'INFO'] as const).map((s) => rated(s).reliability),
      ['E', 'D', 'C', 'B', 'A'],
    );
    assert.equal(rated('BLOCKER').security, 'A');
    assert.equal(measuresOf([], 10).security, 'A');
  });

  it('of maintainability follow the debt in proportion to the code', () => {
    const sqale = (debt: number) =>
      measureCodeQuality({ ...good, debt, development: 10_000 }, []).sqale_rating;
    assert.deepEqual([0, 500, 501, 1000, 1001, 2000, 2001, 5000, 5001].map(sqale), [
      'A',
      'A',
      'B',
      'B',
      'C',
      'C',
      'D',
      'D',
      'E',
    ]);
    // 5 minutes for the one smell; bugs and hotspots are no debt.
    const { debt, development } = measuresOf(
      [finding('CODE_SMELL', 'MINOR'), finding('BUG', 'BLOCKER'), finding('SECURITY_HOTSPOT', 'MAJOR')],
      3,
    );
    assert.deepEqual([debt, development], [5, 90]);
  });
});

describe('qualityGates of a definition', () => {
  it('know exactly the KPIs of the gates', () => {
    const security = Object.keys(qualityGatesSchema.shape).filter((kpi) => securityMetrics([kpi]).length > 0);
    const goals = { viewsPerMinute: 1, responseTimeMs: 1 };
    const kpis = [
      ...codeQualityMetrics('aem_managed_services'),
      ...performanceMetrics(goals),
      ...assetsMetrics,
    ].map(({ kpi }) => kpi);
    assert.equal(security.length, 20);
    assert.deepEqual(
      Object.keys(qualityGatesSchema.shape).sort(),
      [...new Set([...kpis, ...security])].sort(),
    );
  });

  const problems = (qualityGates: object): string[] => {
    const parsed = programSchema.safeParse({ ...definition(), qualityGates });
    return (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
  };

  it('take thresholds and severities', () => {
    assert.deepEqual(problems({}), []);
    assert.deepEqual(
      problems({
        coverage: { expected: 60, severity: 'critical' },
        security_rating: { expected: 'A' },
        crxde_support: { severity: 'informational' },
      }),
      [],
    );
  });

  it('name what is wrong in them', () => {
    assert.match(problems({ coverag: { expected: 60 } })[0] ?? '', /^qualityGates: .*coverag/);
    assert.match(problems({ coverage: { expected: 101 } })[0] ?? '', /^qualityGates\.coverage\.expected: /);
    assert.match(problems({ coverage: { expected: 'B' } })[0] ?? '', /^qualityGates\.coverage\.expected: /);
    assert.match(
      problems({ sqale_rating: { expected: 'F' } })[0] ?? '',
      /^qualityGates\.sqale_rating\.expected: /,
    );
    assert.match(
      problems({ coverage: { severity: 'info' } })[0] ?? '',
      /^qualityGates\.coverage\.severity: /,
    );
    assert.match(
      problems({ crxde_support: { expected: 'failed' } })[0] ?? '',
      /^qualityGates\.crxde_support: /,
    );
  });
});
