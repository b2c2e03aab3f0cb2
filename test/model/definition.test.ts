import assert from 'node:assert/strict';
import { programSchema } from '../../src/model/schema/definition.ts';
import { definition } from '../support/definition.ts';
import { changed, problems, type Path } from './definition-problems.ts';

const example = definition();
const stage = ['environments', 0];
const production = ['environments', 1];
const pipeline = ['pipelines', 0];
const paths = (count: number) => Array.from({ length: count }, (_, n) => `/content/${n}`);
const dispatcher = (change: object) => ({
  id: 'dispatcher2',
  url: 'http://127.0.0.1:1',
  publish: 'publish1',
  server: 'dispatcher2',
  ...change,
});

describe('the definition of a program', () => {
  it('is accepted when it is good, and filled in with the defaults', () => {
    assert.deepEqual(problems(example), []);
    const minimal = programSchema.parse(changed([...pipeline, 'approval'], undefined));
    const [pipeline0] = minimal.pipelines;
    assert.ok(pipeline0?.type === 'production');
    const { approval, skipDetachingDispatchers, importantMetricsFailureBehavior, variables } = pipeline0;
    assert.deepEqual(
      { approval, skipDetachingDispatchers, importantMetricsFailureBehavior, variables },
      {
        approval: true,
        skipDetachingDispatchers: false,
        importantMetricsFailureBehavior: 'PAUSE',
        variables: {},
      },
    );
    assert.equal(minimal.environments[0]?.probe.path, '/');
    assert.equal(minimal.performance.durationSeconds, 1800);
    assert.deepEqual(minimal.timeouts, {});
  });

  it('is accepted once more in the form that it was kept in', () => {
    const kept = programSchema.parse(example);
    assert.deepEqual(programSchema.parse(kept), kept);
  });

  it('that is no definition at all is refused', () => {
    for (const value of [undefined, null, '', 'program', 1, [], [example]])
      assert.equal(problems(value).length, 1, JSON.stringify(value));
  });

  /** Where it goes wrong, what is written there, and what people are told about which place. */
  const mistakes: [what: string, path: Path, value: unknown, told: RegExp][] = [
    ['no id', ['id'], undefined, /^id: /],
    ['an id that is a number', ['id'], 1, /^id: /],
    ['an id with a leading zero', ['id'], '01', /^id: must be a number without leading zeros/],
    ['an id with a line break', ['id'], '1\n', /^id: must be a number/],
    ['an id of another kind', ['id'], '../1', /^id: must be a number/],
    ['another type', ['type'], 'other', /^type: must be aem_managed_services/],
    [
      'CSE Support in a program of Cloud Service',
      ['type'],
      'aem_cloud_service',
      /^pipelines\.0\.cse: CSE Support is a step of Managed Services: leave it out/,
    ],
    ['no name', ['name'], '', /^name: /],
    ['a name that is too long', ['name'], 'x'.repeat(101), /^name: /],
    ['a control character in a name', ['name'], 'a\u0007b', /^name: must not contain control characters/],
    [
      'a line break in a name',
      [...pipeline, 'name'],
      'a\nb',
      /^pipelines\.0\.name: must not contain control/,
    ],
    ['a field that nobody knows', ['colour'], 'red', /^: .*colour/],
    ['a misspelt field deep inside', [...pipeline, 'aproval'], true, /^pipelines\.0: .*aproval/],
    ['no environments', ['environments'], [], /^environments: /],
    ['no author', [...stage, 'author'], [], /^environments\.0\.author: /],
    ['an unknown type of environment', [...stage, 'type'], 'test', /^environments\.0\.type: .*stage/],

    [
      'a stage that is not defined',
      [...pipeline, 'stageEnvironment'],
      '99',
      /^pipelines\.0\.stageEnvironment: there is no environment 99/,
    ],
    [
      'a production that is not defined',
      [...pipeline, 'productionEnvironment'],
      '99',
      /^pipelines\.0\.productionEnvironment: there is no environment 99/,
    ],
    [
      'a testing environment of another type',
      [...pipeline, 'stageEnvironment'],
      '12',
      /^pipelines\.0\.stageEnvironment: environment 12 is of type prod; it must be of type stage/,
    ],
    [
      'a production environment of another type',
      [...pipeline, 'productionEnvironment'],
      '11',
      /environment 11 is of type stage; it must be of type prod/,
    ],
    [
      'a dispatcher of an unknown publish instance',
      [...stage, 'dispatchers', 0, 'publish'],
      'publish9',
      /^environments\.0\.dispatchers\.0\.publish: there is no publish instance publish9 in environment 11/,
    ],
    [
      'a dispatcher of an author',
      [...stage, 'dispatchers', 0, 'publish'],
      'author',
      /there is no publish instance author/,
    ],
    [
      'a production with dispatchers and no load balancer',
      [...production, 'loadBalancer'],
      undefined,
      /^environments\.1\.loadBalancer: .*needs one/,
    ],

    [
      'neither branch nor tag',
      [...pipeline, 'repository'],
      { url: 'file:///a' },
      /^pipelines\.0\.repository: needs either a branch or a tag/,
    ],
    [
      'a branch and a tag',
      [...pipeline, 'repository'],
      { url: 'file:///a', branch: 'main', tag: '1' },
      /needs either a branch or a tag/,
    ],
    ['another kind of pipeline', [...pipeline, 'type'], 'nightly', /^pipelines\.0\.type: /],
    [
      'detaching skipped where nothing is deployed',
      ['pipelines', 0],
      {
        id: '101',
        name: 'Q',
        type: 'codeQuality',
        repository: { url: 'file:///a', branch: 'main' },
        skipDetachingDispatchers: true,
      },
      /^pipelines\.0: .*skipDetachingDispatchers/,
    ],
    [
      'a dev pipeline that deploys to stage',
      ['pipelines', 0],
      {
        id: '101',
        name: 'D',
        type: 'deployment',
        repository: { url: 'file:///a', branch: 'main' },
        devEnvironment: '11',
      },
      /^pipelines\.0\.devEnvironment: environment 11 is of type stage; it must be of type dev: none/,
    ],
    [
      'two environments of one id',
      [...production, 'id'],
      '11',
      /^environments\.1\.id: environment 11 is defined twice/,
    ],
    [
      'two pipelines of one id',
      ['pipelines'],
      [example.pipelines[0], { ...example.pipelines[0], name: 'Other' }],
      /^pipelines\.1\.id: pipeline 101 is defined twice/,
    ],
    [
      'two publish instances of one id',
      [...production, 'publish', 1, 'id'],
      'publish1',
      /^environments\.1: node publish1 is defined twice/,
    ],
    [
      'an author and a publish instance of one id',
      [...stage, 'author', 0, 'id'],
      'publish1',
      /^environments\.0: node publish1 is defined twice/,
    ],
    [
      'a publish instance and a dispatcher of one id',
      [...stage, 'dispatchers', 0, 'id'],
      'publish1',
      /^environments\.0: node publish1 is defined twice/,
    ],
    [
      'two dispatchers of one server',
      [...production, 'dispatchers', 1, 'server'],
      'dispatcher1',
      /^environments\.1\.dispatchers\.1\.server: server dispatcher1 is another dispatcher's/,
    ],
  ];
  for (const [what, path, value, told] of mistakes)
    it(`${what} is refused, naming the place`, () => {
      const found = problems(changed(path, value));
      assert.ok(
        found.some((problem) => told.test(problem)),
        found.join('\n') || 'it was accepted',
      );
    });

  it('of Cloud Service has no performance tests, and no gates but that of code scanning', () => {
    const loadTest = { CM_PERF_TEST_CRAWLER_MAX_PAGES: '2000' };
    const cloud = (program: object) =>
      problems({ ...definition({ cse: undefined }, { type: 'aem_cloud_service' }), ...program });
    assert.deepEqual(
      cloud({
        performance: { viewsPerMinute: 500, pages: { popular: ['/content/site'] }, crawl: {} },
        qualityGates: { crxde_support: { severity: 'critical' }, coverage: { expected: 60 } },
        pipelines: [{ ...example.pipelines[0], cse: undefined, variables: loadTest }],
      }),
      [
        'pipelines.0.variables.CM_PERF_TEST_CRAWLER_MAX_PAGES: CM_PERF_TEST_CRAWLER_MAX_PAGES is for Performance Testing, which a production pipeline of Cloud Service has not: leave it out',
        'performance.viewsPerMinute: 500 is for Performance Testing, a step of Managed Services: leave it out in a program of Cloud Service',
        'performance.pages.popular: ["/content/site"] is for Performance Testing, a step of Managed Services: leave it out in a program of Cloud Service',
        'performance.crawl: {"seeds":[],"maxPages":5000,"maxDepth":20} is for Performance Testing, a step of Managed Services: leave it out in a program of Cloud Service',
        'qualityGates.crxde_support: {"severity":"critical"} is for a gate of Managed Services: leave it out in a program of Cloud Service, whose gate has security_rating, reliability_rating, sqale_rating, coverage, skipped_tests, open_issues, duplicated_lines_density, cloud_service_compatibility',
      ],
    );
    const kept = programSchema.parse(definition({ cse: undefined }, { type: 'aem_cloud_service' }));
    assert.deepEqual(problems(kept), []);
  });

  it('is refused with all its problems at once', () => {
    const bad = {
      ...definition({ stageEnvironment: '98', productionEnvironment: '99' }),
      environments: [example.environments[0], example.environments[0]],
    };
    assert.deepEqual(problems(bad), [
      'environments.1.id: environment 11 is defined twice; give each an id of its own',
      'pipelines.0.stageEnvironment: there is no environment 98; of type stage there are: 11 (Stage), 11 (Stage)',
      'pipelines.0.productionEnvironment: there is no environment 99; of type prod there are: none',
    ]);
  });

  const accepted: [string, Path, unknown][] = [
    ['ssh addresses with a user', [...pipeline, 'repository', 'url'], 'ssh://git@host:7999/group/site.git'],
    ['scp-like addresses', [...pipeline, 'repository', 'url'], 'git@host:group/site.git'],
    ['an @ behind the host', [...pipeline, 'repository', 'url'], 'https://host/group/@scope/site.git'],
    ['100 paths to flush', [...pipeline, 'dispatcherCacheFlushPaths'], paths(100)],
    ['dots inside a name of a path', [...pipeline, 'dispatcherCacheFlushPaths'], ['/content/a..b/...']],
    [
      'paths in any script',
      [...pipeline, 'dispatcherCacheFlushPaths'],
      ['/content/日本語/seite mit leerzeichen'],
    ],
    ['two dispatchers of one publish instance', [...stage, 'dispatchers', 1], dispatcher({})],
    ['the same node ids in two environments', [...production, 'publish', 0, 'id'], 'publish1'],
    [
      'a production without dispatchers and load balancer',
      [...production],
      { ...example.environments[1], dispatchers: [], loadBalancer: undefined },
    ],
    ['a program without pipelines', ['pipelines'], []],
    ['an IPv6 host of a probe', [...stage, 'probe'], { host: '[::1]:8080' }],
    ['time-outs of parts of a day', ['timeouts'], { approval: 0.001 }],
  ];
  for (const [what, path, value] of accepted)
    it(`may have ${what}`, () => assert.deepEqual(problems(changed(path, value)), []));
});
