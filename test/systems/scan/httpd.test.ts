import { deepEqual, equal } from 'node:assert/strict';
import { readHttpd } from '../../../src/systems/scan/dispatcher/httpd.ts';
import { ServerRoot } from '../../../src/systems/scan/dispatcher/server-root.ts';
import { filesOf, type Texts } from './files.ts';

const read = async (texts: Texts) => readHttpd(await ServerRoot.read(filesOf(texts)));

describe('The reader of httpd configuration', () => {
  it('names the includes that are missing, and not those that may be', async () => {
    const { missing } = await read({
      'conf.d/a.conf': [
        'Include conf.d/no.conf',
        'IncludeOptional conf.d/no.conf',
        'Include "conf.d/no/*.conf"',
        'Include conf.d/${ONLY_ON_THE_HOST}.conf',
        'Include /usr/share/x.conf',
        'Include /etc/httpd/conf.d/no.vars',
        '<IfFile conf.d/no.conf>',
        'Include conf.d/no.conf',
        '</IfFile>',
        '# Include conf.d/no.conf',
      ].join('\n'),
    });
    deepEqual(
      missing.map(({ place, target }) => `${place.line} ${target}`),
      ['1 conf.d/no.conf', '3 conf.d/no/*.conf', '6 /etc/httpd/conf.d/no.vars'],
    );
  });

  it('ends where files include each other, and with binary files', async () => {
    const { directives, missing } = await read({
      'conf/httpd.conf': 'Include conf.d/*.conf\n',
      'conf.d/a.conf': 'Include conf/httpd.conf\nInclude conf.d/b.conf\n',
      'conf.d/b.conf': Buffer.from([0, 255]),
    });
    deepEqual(missing, []);
    equal(directives.filter(({ name }) => name === 'Include').length, 3);
  });

  it('keeps the sections around what is included, continued lines, quotes and lines', async () => {
    const { directives, variables } = await read({
      'conf/httpd.conf':
        '\ufeffDefine HOME "/var/x"\r\nDefine SITE ${HOME}/site\r\n<Directory />\r\nInclude conf.d/r.rules\r\n</Directory>\r\n',
      'conf.d/r.rules': '# who\nRequire \\\n  all granted\n',
      'conf.d/not-included.conf': 'Require all denied\n',
    });
    const required = directives.filter(({ name }) => name === 'Require');
    deepEqual(required, [
      {
        name: 'Require',
        args: ['all', 'granted'],
        within: [{ name: 'directory', args: ['/'] }],
        place: { file: 'conf.d/r.rules', line: 2 },
      },
    ]);
    equal(variables.get('SITE'), '/var/x/site');
  });
});
