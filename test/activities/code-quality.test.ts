import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { codeQualityActivities } from '../../src/activities/code-quality.ts';
import type { CodeQualityInput, TestOutcome } from '../../src/model/activities.ts';
import type { StoredFile } from '../../src/model/artifacts.ts';
import type { EngineSettings } from '../../src/systems/build-engine/choose.ts';
import { localEngine } from '../../src/systems/build-engine/local.ts';
import { mavenCommands } from '../../src/systems/build-engine/maven.ts';
import { keepProject } from '../../src/systems/code-scanner/project.ts';
import { secrets } from '../../src/systems/secrets.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { packageFile } from '../support/aem-packages.ts';
import { temporaryFolder } from '../support/folder.ts';
import { plantedProject } from '../support/planted-project.ts';
import { podman } from '../support/podman.ts';

const mavenRepository = join(homedir(), '.m2', 'repository');

describe('code scanning', function () {
  this.timeout(300_000);
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  const quiet = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const deps = (engine: EngineSettings) => ({
    ...{ storage: storage(), workFolder: join(folder(), 'work'), engine },
    ...{ mavenRepository, analysers: join(built, 'analysers'), secret: secrets({ env: {} }) },
  });
  const log = async () => text(await storage().get('1/101/7/logs/codeQuality.log'));

  /** A project as the build leaves it for code scanning. Building takes a while: once for all. */
  let code: StoredFile | undefined;
  let built = '';
  after(() => rm(built, { recursive: true, force: true }));
  before(async () => {
    built = await mkdtemp(join(tmpdir(), 'fairway-test-'));
    for (const [path, content] of Object.entries(plantedProject)) {
      await mkdir(dirname(join(built, 'project', path)), { recursive: true });
      await writeFile(join(built, 'project', path), content);
    }
    const root = join(built, 'project');
    const options = { artifactsVersion: '1', repository: mavenRepository };
    const command = (await mavenCommands(root, options)).at(-1) ?? [];
    const lines: string[] = [];
    const code = await localEngine().run(command, {
      ...{ id: '1-101-7', folder: root, writable: [], readable: [], env: {} },
      onLine: (line) => lines.push(line),
    });
    assert.equal(code, 0, lines.join('\n'));
  });
  beforeEach(async () => {
    const to = { storage: storage(), programId: '1', key: '1/101/7/code.zip', mavenRepository };
    code = await keepProject(join(built, 'project'), to);
  });

  function scan(
    engine: EngineSettings = { engine: 'local' },
    change: Partial<CodeQualityInput> = {},
  ): Promise<TestOutcome> {
    const input: CodeQualityInput = {
      ...{ executionKey: '1/101/7', gates: {}, flavour: 'aem_managed_services', artifacts: [] },
      ...{ reports: { tests: { run: 2, failed: 0, skipped: 1 } }, log: '1/101/7/logs/codeQuality.log' },
      names: { program: 'Program', pipeline: 'Pipeline' },
      code,
      ...change,
    };
    const activities = codeQualityActivities(deps(engine));
    return quiet().run<[CodeQualityInput], TestOutcome, (given: CodeQualityInput) => Promise<TestOutcome>>(
      (given) => activities.codeQuality(given),
      input,
    );
  }

  const values = ({ metrics }: TestOutcome) =>
    Object.fromEntries(metrics.map(({ kpi, actualValue }) => [kpi, actualValue]));

  it('measures all metrics of a project, in a container as well', async () => {
    const outcome = await scan(await podman());
    assert.deepEqual(values(outcome), {
      security_rating: 'C',
      reliability_rating: 'D',
      sqale_rating: 'A',
      coverage: '5',
      skipped_tests: '1',
      open_issues: '12',
      duplicated_lines_density: '31.8',
      cloud_service_compatibility: '0',
    });
    const { findings } = JSON.parse(await text(await storage().get(outcome.results.key))) as {
      findings: { rule: string; severity: string; file: string; line: number }[];
    };
    assert.deepEqual(
      findings.slice(0, 2).map(({ rule, severity, file, line }) => `${severity} ${rule} ${file}:${line}`),
      [
        'CRITICAL CQRules:ConnectionTimeoutMechanism src/main/java/com/example/Planted.java:26',
        'CRITICAL findbugs:NP_ALWAYS_NULL src/main/java/com/example/Planted.java:41',
      ],
    );
    assert.deepEqual(
      outcome.findings?.map(({ key }) => key),
      ['1/101/7/results/codeQuality.csv', '1/101/7/results/codeQuality.sarif'],
    );
    const csv = await text(await storage().get('1/101/7/results/codeQuality.csv'));
    assert.equal(csv.trim().split('\r\n').length, 13);
    assert.match(
      csv,
      /^rule,severity,type,message,file,line\r\nCQRules:ConnectionTimeoutMechanism,CRITICAL,BUG,/,
    );
    assert.match(await log(), /analysing 1 modules, \d+ libraries, in: container \(podman/);
    assert.deepEqual(await readdir(join(folder(), 'work')), []);
  });

  describe('with analysers that misbehave', () => {
    /**
     * A Java in front of the real one: it answers for one analyser with `script`, and for the others with a report
     * that says nothing.
     */
    async function fake(analyser: string, script: string): Promise<EngineSettings> {
      const bin = join(folder(), 'bin');
      await mkdir(bin, { recursive: true });
      const lines = [
        '#!/bin/sh',
        'for f; do case $f in -xml*=*) bugs=${f#*=};; *pmd.json|*/jacoco.xml) report=$f;; esac; done',
        'case "$*" in',
        `*"${analyser}"*) ${script} ;;`,
        `*FindBugs2*) echo '<BugCollection/>' > "$bugs" ;;`,
        `*"PmdCli check"*) echo '{"files":[]}' > "$report" ;;`,
        `*"PmdCli cpd"*) echo '<?xml version="1.0"?>'; echo '<pmd-cpd></pmd-cpd>' ;;`,
        `*jacoco*) echo '<report/>' > "$report" ;;`,
        '*) PATH="${PATH#*:}"; exec java "$@" ;;',
        'esac',
      ];
      await writeFile(join(bin, 'java'), lines.join('\n'), { mode: 0o755 });
      process.env.PATH = `${bin}:${process.env.PATH}`;
      return { engine: 'local' };
    }
    let path: string | undefined;
    beforeEach(() => {
      path = process.env.PATH;
    });
    afterEach(() => {
      process.env.PATH = path;
    });

    const unjudged = [
      'cloud_service_compatibility',
      'open_issues',
      'reliability_rating',
      'security_rating',
      'sqale_rating',
    ];
    const bad: [what: string, analyser: string, script: string, unknown: string[], problem: RegExp][] = [
      [
        'SpotBugs crashes',
        'FindBugs2',
        'echo out of memory; exit 134',
        unjudged,
        /^SpotBugs ended with exit code 134/,
      ],
      ['SpotBugs leaves no report', 'FindBugs2', 'exit 0', unjudged, /the report of SpotBugs is missing/],
      [
        'PMD leaves a broken report',
        'PmdCli check',
        'echo "{" > "$report"',
        unjudged,
        /the report of PMD is not what PMD writes/,
      ],
      [
        'CPD says something else',
        'PmdCli cpd',
        'echo hello; exit 0',
        ['duplicated_lines_density'],
        /the report of CPD/,
      ],
      ['JaCoCo crashes', 'jacoco.cli', 'exit 1', ['coverage'], /^JaCoCo ended with exit code 1/],
      [
        'JaCoCo leaves entities',
        'jacoco.cli',
        `echo '<!DOCTYPE r [<!ENTITY a "a">]><report/>' > "$report"`,
        ['coverage'],
        /the report of JaCoCo has a DTD of its own/,
      ],
    ];
    for (const [what, analyser, script, unknown, problem] of bad)
      it(`${what}: what it measures is unknown and fails, and the reason is named`, async () => {
        const outcome = await scan(await fake(analyser, script));
        const failing = outcome.metrics.filter(({ actualValue }) => actualValue === 'unknown');
        assert.deepEqual([...new Set(failing.map(({ kpi }) => kpi))].sort(), unknown);
        assert.ok(failing.every(({ passed }) => !passed));
        assert.equal(outcome.problems?.length, 1);
        assert.match(outcome.problems?.[0] ?? '', problem);
        assert.match(await log(), new RegExp(problem.source.replace('^', '')));
      });
  });

  it('adds what the rules for AEM find in the packages', async () => {
    const path = 'ui.apps/target/ui.apps-1.zip';
    const zip = await packageFile(folder(), {
      ...{ name: 'site.libs', filterRoots: ['/libs/site'] },
      files: { 'libs/site/.content.xml': '<jcr:root xmlns:jcr="http://www.jcp.org/jcr/1.0"/>' },
    });
    const file = await storage().put('1/101/7/artifacts/a.zip', createReadStream(zip));
    const artifacts = [{ kind: 'kept', path, file, reason: 'it is' }] as const;
    const outcome = await scan({ engine: 'local' }, { code: undefined, artifacts });
    const csv = await text(await storage().get(outcome.findings?.[0]?.key ?? ''));
    assert.match(csv, /BannedPath,BLOCKER,BUG,.*ui\.apps-1\.zip/);
    assert.equal(values(outcome).reliability_rating, 'E');
    assert.deepEqual(
      outcome.metrics
        .filter(({ passed, severity }) => !passed && severity !== 'informational')
        .map(({ kpi }) => kpi),
      ['reliability_rating'],
    );
  });

  it('has nothing to say against a project without Java code', async () => {
    const outcome = await scan({ engine: 'local' }, { code: undefined });
    assert.deepEqual(
      outcome.metrics.filter(({ passed }) => !passed),
      [],
    );
    assert.equal(values(outcome).coverage, '100');
    assert.match(await log(), /no code to analyse/);
  });
});
