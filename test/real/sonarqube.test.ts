import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { codeQualityActivities } from '../../src/activities/code-quality.ts';
import type { CodeQualityInput, TestOutcome } from '../../src/model/activities.ts';
import type { CodeMeasures } from '../../src/model/code-quality.ts';
import type { Finding } from '../../src/model/findings.ts';
import { cacheFolder, prepare } from '../../src/local/setup/prepare.ts';
import { findSonarqube } from '../../src/local/setup/sonarqube.ts';
import { startSonarqube, type Sonarqube } from '../../src/local/sonarqube.ts';
import type { EngineSettings } from '../../src/systems/build-engine/choose.ts';
import { localEngine } from '../../src/systems/build-engine/local.ts';
import { mavenCommands } from '../../src/systems/build-engine/maven.ts';
import { keepProject } from '../../src/systems/code-scanner/project.ts';
import { Failure } from '../../src/systems/failure.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { podman } from '../support/podman.ts';
import { comparedProject } from './compared-project.ts';

/** What one engine made of the project. */
interface Scanned {
  readonly gate: Readonly<Record<string, string>>;
  readonly measures: CodeMeasures;
  readonly findings: readonly Finding[];
  readonly problems: readonly string[] | undefined;
}

/** A family of rules: what they look for, those of the embedded engine, those of SonarQube. */
const families: [what: string, embedded: string[], sonarqube: string[]][] = [
  ['`null` that is dereferenced', ['findbugs:NP_ALWAYS_NULL'], ['java:S2259']],
  ['a private field without use', ['pmd:UnusedPrivateField', 'findbugs:UUF_UNUSED_FIELD'], ['java:S1068']],
  ['a constant that could be static', ['findbugs:SS_SHOULD_BE_STATIC'], ['java:S1170']],
  ['an empty `catch`', ['pmd:EmptyCatchBlock'], ['java:S108']],
  ['a stream that is not closed', ['findbugs:OS_OPEN_STREAM'], ['java:S2095']],
  ['a hard-coded path', ['findbugs:DMI_HARDCODED_ABSOLUTE_FILENAME'], ['java:S1075']],
  ['a `Random` that is used once', ['findbugs:DMI_RANDOM_USED_ONLY_ONCE'], ['java:S2119']],
  ['random numbers that can be guessed', ['findsecbugs:PREDICTABLE_RANDOM'], ['java:S2245']],
  ['a weak hash', ['findsecbugs:WEAK_MESSAGE_DIGEST_MD5'], ['java:S4790']],
  ['XML with entities', ['findsecbugs:XXE_DOCUMENT'], ['java:S2755']],
  ['`System.out`', ['CQRules:CQBP-44---LowLevelConsolePrinters'], ['java:S106']],
  ['`printStackTrace`', ['CQRules:CQBP-44---ExceptionPrintStackTrace'], ['java:S4507']],
  ['paths from outside', ['findsecbugs:PATH_TRAVERSAL_IN'], []],
  ['`FileInputStream`', ['pmd:AvoidFileStream'], []],
  [
    'other rules of Cloud Manager',
    [
      ...['CQRules:CQBP-71', 'CQRules:CQBP-72', 'CQRules:CWE-676', 'CQRules:ConnectionTimeoutMechanism'],
      ...[
        'CQRules:CQBP-44---CatchAndEitherLogOrThrow',
        'CQRules:CQBP-44---ExceptionGetMessageIsFirstLogParam',
      ],
      'CQRules:CQBP-44---LogInfoInGetOrHeadRequests',
    ],
    [],
  ],
  ['a password in the code', [], ['java:S2068']],
  ['texts compared with `==`', [], ['java:S4973']],
  ['general exceptions', [], ['java:S112']],
  ['repeated texts, small `switch`', [], ['java:S1192', 'java:S1301']],
  ['tests', [], ['java:S1607', 'java:S2699']],
];

describe('code scanning: the embedded engine and a SonarQube 9.9', function () {
  this.timeout(900_000);
  const mavenRepository = join(homedir(), '.m2', 'repository');
  let folder = '';
  let serverFolder = '';
  let server: Sonarqube | undefined;
  let embedded: Scanned;
  let sonarqube: Scanned;

  /** The project is built and scanned while the server starts; each engine scans once. */
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairway-sonarqube-'));
    const { maven } = await prepare(['maven'], () => undefined);
    const setUp = { env: process.env, cache: cacheFolder(), report: console.log };
    serverFolder = await mkdtemp(join(tmpdir(), 'fairway-sonarqube-'));
    const starting = startSonarqube(await findSonarqube(maven, setUp), serverFolder);
    [server] = await Promise.all([
      starting,
      (async () => {
        await build();
        embedded = await scan({ engine: 'local' });
      })(),
    ]);
    const scanner = { type: 'sonarqube', url: server.url, token: 'SONAR' } as const;
    sonarqube = await scan(await podman(), scanner);
  });
  after(async () => {
    await server?.stop();
    for (const each of [folder, serverFolder]) await rm(each, { recursive: true, force: true });
  });

  const storage = () => fileStorage(join(folder, 'storage'));
  const key = '1/109/7';
  const code = `${key}/code.zip`;
  let archive: CodeQualityInput['code'];

  async function build(): Promise<void> {
    const root = join(folder, 'project');
    for (const [path, content] of Object.entries(comparedProject)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
    const command =
      (await mavenCommands(root, { artifactsVersion: '1', repository: mavenRepository })).at(-1) ?? [];
    const lines: string[] = [];
    const ended = await localEngine().run(command, {
      ...{ id: key.replaceAll('/', '-'), folder: root, writable: [], readable: [], env: {} },
      onLine: (line) => lines.push(line),
    });
    assert.equal(ended, 0, lines.join('\n'));
    // Now its class is there and its source is not, as with classes that a build generates.
    await rm(join(root, 'src/main/java/com/example/Generated.java'));
    archive = await keepProject(root, { storage: storage(), programId: '1', key: code, mavenRepository });
  }

  async function scan(
    engine: EngineSettings,
    scanner?: CodeQualityInput['scanner'],
    secret = () => Promise.resolve(server?.token ?? ''),
  ): Promise<Scanned> {
    const activities = codeQualityActivities({
      ...{ storage: storage(), secret, workFolder: join(folder, 'work'), engine, mavenRepository },
      // The scanner keeps what it gets from a server there, by its URL, which is another one each time.
      analysers: join(folder, 'analysers'),
    });
    const input: CodeQualityInput = {
      ...{
        executionKey: key,
        gates: {},
        flavour: 'aem_managed_services',
        artifacts: [],
        code: archive,
        scanner,
      },
      ...{ reports: { tests: { run: 2, failed: 0, skipped: 1 } }, log: `${key}/logs/codeQuality.log` },
      names: { program: 'Prögram\\', pipeline: 'Über "alles"' },
    };
    const outcome = await new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run<
      [CodeQualityInput],
      TestOutcome,
      (given: CodeQualityInput) => Promise<TestOutcome>
    >((given) => activities.codeQuality(given), input);
    const results = JSON.parse(await text(await storage().get(outcome.results.key))) as {
      measures: CodeMeasures;
      findings: Finding[];
    };
    return {
      gate: Object.fromEntries(outcome.metrics.map(({ kpi, actualValue }) => [kpi, actualValue])),
      measures: results.measures,
      findings: results.findings,
      problems: outcome.problems,
    };
  }

  it('agree on coverage, skipped tests and lines of code', () => {
    assert.deepEqual([embedded.problems, sonarqube.problems], [[], []]);
    assert.deepEqual(sonarqube.measures.coverage, embedded.measures.coverage);
    assert.equal(sonarqube.gate.coverage, embedded.gate.coverage);
    assert.equal(sonarqube.measures.skippedTests, embedded.measures.skippedTests);
    assert.equal(sonarqube.measures.development, embedded.measures.development);
  });

  it('differ in the other metrics as they do', () => {
    const same = { sqale_rating: 'A', coverage: '2', skipped_tests: '1', cloud_service_compatibility: '0' };
    assert.deepEqual(embedded.gate, {
      ...{ ...same, security_rating: 'C', reliability_rating: 'D', open_issues: '20' },
      duplicated_lines_density: '39.7',
    });
    assert.deepEqual(sonarqube.gate, {
      ...{ ...same, security_rating: 'E', reliability_rating: 'E', open_issues: '18' },
      duplicated_lines_density: '22.4',
    });
    // SonarQube counts the empty line behind the last line break of a file; a stretch that repeats itself is none to it.
    const files = Object.keys(comparedProject).filter((path) => path.startsWith('src/main/')).length - 1;
    assert.equal(sonarqube.measures.lines, (embedded.measures.lines ?? 0) + files);
    assert.ok((sonarqube.measures.duplicatedLines ?? 0) > 0);
  });

  it('find what the table in the documentation says', async () => {
    const cell = ({ findings }: Scanned, rules: readonly string[]) =>
      rules
        .map((rule) => {
          const found = findings.find((finding) => finding.rule === rule);
          assert.ok(found, `${rule} found nothing`);
          return `\`${rule}\` ${found.type.toLowerCase().replaceAll('_', ' ')}, ${found.severity.toLowerCase()}`;
        })
        .join('; ') || '-';
    const rows = families.map(
      ([what, first, second]) => `| ${what} | ${cell(embedded, first)} | ${cell(sonarqube, second)} |`,
    );
    const rules = ({ findings }: Scanned) => [...new Set(findings.map(({ rule }) => rule))].sort();
    assert.deepEqual(rules(embedded), families.flatMap(([, first]) => first).sort());
    assert.deepEqual(rules(sonarqube), families.flatMap(([, , second]) => second).sort());
    const page = await readFile(new URL('../../docs/quality-gates.md', import.meta.url), 'utf8');
    const missing = rows.filter((row) => !page.includes(`${row}\n`));
    assert.equal(missing.length, 0, `docs/quality-gates.md lacks:\n${missing.join('\n')}`);
  });

  it('refuses a token that is none, naming the secret', async () => {
    const scanner = { type: 'sonarqube', url: server?.url ?? '', token: 'SONAR' } as const;
    await assert.rejects(
      scan({ engine: 'local' }, scanner, () =>
        Promise.resolve('squ_0000000000000000000000000000000000000000'),
      ),
      (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.type, 'Denied');
        assert.match(error.message, /refuses the token of the secret SONAR \(it is not valid\)/);
        return true;
      },
    );
  });
});
