import assert from 'node:assert/strict';
import { changed, problems, type Path } from './definition-problems.ts';

const stage = ['environments', 0];
const pipeline = ['pipelines', 0];
const repository = [...pipeline, 'repository'];
const paths = (count: number) => Array.from({ length: count }, (_, n) => `/content/${n}`);

describe('a field of a definition', () => {
  /** Where it goes wrong, what is written there, and what people are told about which place. */
  const mistakes: [what: string, path: Path, value: unknown, told: RegExp][] = [
    [
      'a node id with a slash',
      [...stage, 'publish', 0, 'id'],
      'a/b',
      /^environments\.0\.publish\.0\.id: must be lower-case/,
    ],
    ['a node id with a capital', [...stage, 'publish', 0, 'id'], 'Publish', /must be lower-case/],
    [
      'a password instead of the name of a secret',
      [...stage, 'author', 0, 'credentials'],
      'admin:admin',
      /^environments\.0\.author\.0\.credentials: must be upper-case/,
    ],
    [
      'the name of a secret in lower case',
      [...stage, 'author', 0, 'credentials'],
      'aem',
      /must be upper-case/,
    ],
    [
      'no name of a secret',
      [...stage, 'author', 0, 'credentials'],
      undefined,
      /^environments\.0\.author\.0\.credentials: /,
    ],

    ...(
      [
        ['over http', 'http://ci.example.com/hook', /must be an https URL; http is for loopback/],
        ['over http, to what is no loopback', 'http://127.0.0.1.example.com/', /must be an https URL/],
        ['over another protocol', 'file:///etc/passwd', /must be an https URL without credentials/],
        ['with credentials', 'https://u:p@ci.example.com/', /must be an https URL without credentials/],
        ['with a fragment', 'https://ci.example.com/#a', /without a fragment/],
      ] as const
    ).map(([what, url, told]): [string, Path, unknown, RegExp] => [
      `a webhook ${what}`,
      ['webhooks'],
      [{ id: 'ci', form: 'adobe', url, secret: 'HOOK' }],
      told,
    ]),
    [
      'two webhooks of one id',
      ['webhooks'],
      [1, 2].map(() => ({ id: 'chat', form: 'slack', urlSecret: 'CHAT' })),
      /webhook chat is defined twice/,
    ],
    [
      'the address of a Slack webhook, which is a secret',
      ['webhooks'],
      [{ id: 'chat', form: 'slack', url: 'https://hooks.slack.com/services/T/B/x' }],
      /urlSecret/,
    ],
    [
      'a package manager that nobody knows',
      [...stage, 'author', 0, 'packageManager'],
      'packmgr',
      /^environments\.0\.author\.0\.packageManager: /,
    ],

    [
      'credentials in the URL of an instance',
      [...stage, 'author', 0, 'url'],
      'http://admin:admin@host',
      /^environments\.0\.author\.0\.url: must be an http or https URL without credentials/,
    ],
    [
      'a user in the URL of a dispatcher',
      [...stage, 'dispatchers', 0, 'url'],
      'http://admin@host',
      /^environments\.0\.dispatchers\.0\.url: .*without credentials/,
    ],
    [
      'credentials in the URL of a load balancer',
      [...stage, 'loadBalancer', 'url'],
      'https://a:b@host',
      /^environments\.0\.loadBalancer\.url: .*without credentials/,
    ],
    ['another protocol', [...stage, 'author', 0, 'url'], 'file:///etc/passwd', /http or https/],
    ['no URL', [...stage, 'author', 0, 'url'], 'host:4502', /http or https/],
    ['a line break in a URL', [...stage, 'author', 0, 'url'], 'http://ho\nst', /http or https/],
    ['a blank before a URL', [...stage, 'author', 0, 'url'], ' http://host', /http or https/],
    [
      'another load balancer',
      [...stage, 'loadBalancer', 'type'],
      'nginx',
      /^environments\.0\.loadBalancer\.type: .*haproxy/,
    ],
    [
      'a load balancer of AWS with the fields of HAProxy',
      [...stage, 'loadBalancer', 'type'],
      'elbv2',
      /^environments\.0\.loadBalancer\.targetGroup: /,
    ],
    [
      'something else than a target group',
      [...stage, 'loadBalancer'],
      { type: 'elbv2', targetGroup: 'arn:aws:s3:::bucket', url: 'https://www.example.com' },
      /^environments\.0\.loadBalancer\.targetGroup: must be the ARN of a target group/,
    ],
    [
      'a command in the name of a server',
      [...stage, 'dispatchers', 0, 'server'],
      'd1; set weight',
      /^environments\.0\.dispatchers\.0\.server: /,
    ],
    [
      'a command in the name of a backend',
      [...stage, 'loadBalancer', 'backend'],
      'web\nshutdown',
      /^environments\.0\.loadBalancer\.backend: /,
    ],
    [
      'a line break in the host of a probe',
      [...stage, 'probe'],
      { host: 'a\r\nX-Y: z' },
      /^environments\.0\.probe\.host: must be the name of a host/,
    ],
    [
      'a probe that is no path',
      [...stage, 'probe'],
      { path: 'index.html' },
      /^environments\.0\.probe\.path: must be an absolute path/,
    ],

    ['no repository', repository, undefined, /^pipelines\.0\.repository: /],
    [
      '101 paths to flush',
      [...pipeline, 'dispatcherCacheFlushPaths'],
      paths(101),
      /^pipelines\.0\.dispatcherCacheFlushPaths: /,
    ],
    [
      '101 paths to invalidate',
      [...pipeline, 'dispatcherCacheInvalidationPaths'],
      paths(101),
      /^pipelines\.0\.dispatcherCacheInvalidationPaths: /,
    ],
    [
      'a path that climbs',
      [...pipeline, 'dispatcherCacheFlushPaths'],
      ['/content', '/content/../etc'],
      /^pipelines\.0\.dispatcherCacheFlushPaths\.1: must not contain "\.\."/,
    ],
    [
      'a path that ends in two dots',
      [...pipeline, 'dispatcherCacheFlushPaths'],
      ['/content/..'],
      /must not contain "\.\."/,
    ],
    [
      'a relative path',
      [...pipeline, 'dispatcherCacheFlushPaths'],
      ['content'],
      /Paths\.0: must be an absolute path/,
    ],
    [
      'a header in a path',
      [...pipeline, 'dispatcherCacheFlushPaths'],
      ['/a\r\nCQ-Action: DELETE'],
      /Paths\.0: must be an absolute path/,
    ],
    ['a query in a path', [...pipeline, 'dispatcherCacheFlushPaths'], ['/a?b'], /must be an absolute path/],
    [
      'a path that is too long',
      [...pipeline, 'dispatcherCacheFlushPaths'],
      [`/${'x'.repeat(1000)}`],
      /Paths\.0: /,
    ],
    [
      'a load test of a climbing path',
      ['performance'],
      { pages: { popular: ['/../x'] } },
      /^performance\.pages\.popular\.0: must not contain "\.\."/,
    ],
    [
      'more popular pages than Cloud Manager takes',
      ['performance'],
      { pages: { popular: paths(26) } },
      /^performance\.pages\.popular: at most 25 pages/,
    ],
    ['a crawl without end', ['performance'], { crawl: { maxPages: 1e6 } }, /^performance\.crawl\.maxPages: /],
    [
      'a crawl of another site',
      ['performance'],
      { crawl: { seeds: ['https://example.com/'] } },
      /^performance\.crawl\.seeds\.0: must be an absolute path/,
    ],
    [
      'more images than uploads',
      ['performance'],
      { assets: { imagesPercent: 101 } },
      /^performance\.assets\.imagesPercent: /,
    ],

    ['an unknown kind of CSE', [...pipeline, 'cse'], 'NO_CSE', /^pipelines\.0\.cse: /],
    ['text for a yes or no', [...pipeline, 'schedule'], 'yes', /^pipelines\.0\.schedule: /],
    [
      'an unknown behaviour',
      [...pipeline, 'importantMetricsFailureBehavior'],
      'IGNORE',
      /^pipelines\.0\.importantMetricsFailureBehavior: /,
    ],
    [
      'a variable with a strange name',
      [...pipeline, 'variables'],
      { 'A-B': '1' },
      /^pipelines\.0\.variables/,
    ],
    ['a variable that is no text', [...pipeline, 'variables'], { A: 1 }, /^pipelines\.0\.variables\.A: /],
    [
      '201 variables',
      [...pipeline, 'variables'],
      Object.fromEntries(paths(201).map((_, n) => [`V${n}`, ''])),
      /^pipelines\.0\.variables: at most 200/,
    ],
    [
      'the password of a load test for everybody to read',
      [...pipeline, 'variables'],
      { CM_PERF_TEST_BASIC_PASSWORD: 'x' },
      /^pipelines\.0\.variables\.CM_PERF_TEST_BASIC_PASSWORD: .* must be secret/,
    ],
    [
      'a variable that the build sets itself',
      [...pipeline, 'variables'],
      { PATH: '/tmp' },
      /^pipelines\.0\.variables\.PATH: PATH is set by the build itself/,
    ],
    ['an unknown code scanner', ['codeScanner'], { type: 'sonar' }, /^codeScanner\.type: /],
    [
      'a code scanner without a token',
      ['codeScanner'],
      { type: 'sonarqube', url: 'https://sonarqube' },
      /^codeScanner\.token: /,
    ],
    [
      'a token instead of the name of a secret',
      ['codeScanner'],
      { type: 'sonarqube', url: 'https://sonarqube', token: 'squ_0123' },
      /^codeScanner\.token: must be upper-case/,
    ],
    [
      'credentials in the URL of a code scanner',
      ['codeScanner'],
      { type: 'sonarqube', url: 'https://admin:admin@sonarqube', token: 'SONAR' },
      /^codeScanner\.url: .*without credentials/,
    ],
    [
      'a server for the embedded code scanner',
      ['codeScanner'],
      { type: 'embedded', url: 'https://sonarqube' },
      /^codeScanner: .*url/,
    ],
    ['a time-out of no days', ['timeouts'], { approval: 0 }, /^timeouts\.approval: /],
    ['a time-out of 91 days', ['timeouts'], { approval: 91 }, /^timeouts\.approval: /],
    ['a time-out of a step that does not wait', ['timeouts'], { build: 1 }, /^timeouts: .*build/],
    ['a load test without end', ['performance'], { durationSeconds: 1e9 }, /^performance\.durationSeconds: /],
  ];
  for (const [what, path, value, told] of mistakes)
    it(`${what} is refused, naming the place`, () => {
      const found = problems(changed(path, value));
      assert.ok(
        found.some((problem) => told.test(problem)),
        found.join('\n') || 'it was accepted',
      );
    });

  it('never repeats a password that was put into an address', () => {
    for (const path of [
      [...repository, 'url'],
      [...stage, 'author', 0, 'url'],
    ])
      for (const problem of problems(changed(path, 'https://ann:hunter2@host/')))
        assert.ok(!problem.includes('hunter2'), problem);
  });
});
