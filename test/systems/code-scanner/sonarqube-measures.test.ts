import assert from 'node:assert/strict';
import { codeQualityMetrics, measureCodeQuality } from '../../../src/model/code-quality.ts';
import { evaluate } from '../../../src/model/gates.ts';
import type { metrics } from '../../../src/systems/code-scanner/sonarqube/measures.ts';
import { measuresOfServer } from '../../../src/systems/code-scanner/sonarqube/measures.ts';
import { measures as values } from '../../support/sonarqube-api.ts';

describe('what SonarQube measures, held against the gate', () => {
  const jacoco = { lines: 55, coveredLines: 2, branches: 4, coveredBranches: 1 };
  const tests = { run: 2, failed: 0, skipped: 1 };
  const gate = (changed: Readonly<Record<string, string | undefined>>, covered = jacoco, built = tests) => {
    const all = Object.entries({ ...values, ...changed }).flatMap(([metric, value]) =>
      value === undefined ? [] : [[metric, value] as const],
    );
    const measured = { ...measuresOfServer(new Map(all), covered, built), cloudServiceIssues: 0 };
    return Object.fromEntries(
      evaluate(codeQualityMetrics('aem_managed_services'), measureCodeQuality(measured, [])).map(
        ({ kpi, actualValue }) => [kpi, actualValue],
      ),
    );
  };

  it('is the table of Cloud Manager', () => {
    assert.deepEqual(gate({}), {
      ...{ security_rating: 'B', reliability_rating: 'C', sqale_rating: 'A', coverage: '5' },
      ...{
        skipped_tests: '1',
        open_issues: '2',
        duplicated_lines_density: '10',
        cloud_service_compatibility: '0',
      },
    });
  });

  /** Which metric of the gate is unknown without which of SonarQube's. */
  const needs: Readonly<Record<(typeof metrics)[number], string>> = {
    security_rating: 'security_rating',
    reliability_rating: 'reliability_rating',
    sqale_index: 'sqale_rating',
    development_cost: 'sqale_rating',
    open_issues: 'open_issues',
    coverage: 'coverage',
    lines_to_cover: 'coverage',
    uncovered_lines: 'coverage',
    conditions_to_cover: 'coverage',
    uncovered_conditions: 'coverage',
    skipped_tests: 'skipped_tests',
    lines: 'duplicated_lines_density',
    duplicated_lines: 'duplicated_lines_density',
  };
  for (const [metric, kpi] of Object.entries(needs))
    it(`without ${metric}, or with what is no number there, ${kpi} is unknown and nothing else`, () => {
      for (const value of [undefined, '', 'NaN', '-1', '1e9', '9'.repeat(400)])
        assert.deepEqual(
          Object.entries(gate({ [metric]: value })).flatMap(([each, actual]) =>
            actual === 'unknown' ? [each] : [],
          ),
          [kpi],
          String(value),
        );
    });

  it('has no rating beyond E', () => {
    for (const value of ['0', '6.0', '1.5'])
      assert.equal(gate({ security_rating: value }).security_rating, 'unknown');
    assert.equal(gate({ security_rating: '5.0' }).security_rating, 'E');
  });

  it('may lack conditions where there are none, which its own percentage shows', () => {
    const none = { conditions_to_cover: undefined, uncovered_conditions: undefined };
    assert.equal(gate({ ...none, coverage: '3.6' }).coverage, '3.6');
    assert.equal(gate({ ...none, coverage: '5.1' }).coverage, 'unknown');
  });

  it('may lack coverage and skipped tests where the build shows that there is nothing to measure', () => {
    const none = {
      ...{ coverage: undefined, lines_to_cover: undefined, uncovered_lines: undefined },
      skipped_tests: undefined,
    };
    const empty = { lines: 0, coveredLines: 0, branches: 0, coveredBranches: 0 };
    const { coverage, skipped_tests } = gate(none, empty, { run: 0, failed: 0, skipped: 0 });
    assert.deepEqual([coverage, skipped_tests], ['100', '0']);
  });
});
