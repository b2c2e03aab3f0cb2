import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import type { Log } from 'sarif';
import type { Finding } from '../../../src/model/findings.ts';
import { formatFindings } from '../../../src/systems/scan/output/format.ts';
import { rulesAsMarkdown } from '../../../src/systems/scan/output/rules-table.ts';
import { allRules } from '../../../src/systems/scan/rules/all.ts';

const finding = (more: Partial<Finding>): Finding => ({
  rule: 'BannedPath',
  severity: 'BLOCKER',
  type: 'BUG',
  message: 'wrong',
  file: 'a/b.xml',
  ...more,
});

describe('Findings as CSV', () => {
  const csv = (...findings: Finding[]) => formatFindings(findings, 'csv', '1.0.0');

  it('has the columns of a spreadsheet, also without findings', () => {
    equal(csv(), '\ufeffrule,severity,type,message,file,line\r\n');
    equal(
      csv(finding({ line: 3 })),
      '\ufeffrule,severity,type,message,file,line\r\nBannedPath,BLOCKER,BUG,wrong,a/b.xml,3\r\n',
    );
  });

  it('quotes what would break it', () => {
    match(csv(finding({ message: 'a "b", c' })), /,"a ""b"", c",a\/b\.xml,\r\n$/);
    match(csv(finding({ file: 'a\nb\r' })), /,"a\nb\r",\r\n$/);
  });

  for (const start of ['=', '+', '-', '@', ' =', '\t', '\r'])
    it(`does not let ${JSON.stringify(start)} begin a formula`, () => {
      const row = csv(finding({ message: `${start}cmd|' /C calc'!A0` })).split('\r\n')[1]!;
      ok(/,"?'/.test(row), row);
    });
});

describe('Findings as a table', () => {
  it('goes by file and line, and counts', () => {
    const text = formatFindings(
      [
        finding({ file: 'b', line: 2 }),
        finding({ file: 'a' }),
        finding({ file: 'b', line: 1, severity: 'MINOR' }),
      ],
      'table',
      '1.0.0',
    );
    equal(
      text,
      `a\n      -  BLOCKER   wrong  (BannedPath)\n\nb\n      1  MINOR     wrong  (BannedPath)\n      2  BLOCKER   wrong  (BannedPath)\n\n3 findings: 2 blocker, 1 minor\n`,
    );
    equal(formatFindings([], 'table', '1.0.0'), '0 findings\n');
  });

  it('does not let a name move the cursor', () => {
    const text = formatFindings([finding({ file: 'a\u001b[2Jb' })], 'table', '1.0.0');
    ok(!text.includes('\u001b'));
  });
});

describe('Findings as SARIF', () => {
  const read = (...findings: Finding[]) => JSON.parse(formatFindings(findings, 'sarif', '1.2.3')) as Log;

  it('is valid by the schema of SARIF 2.1.0', async () => {
    const schema = await readFile(new URL('../../fixtures/sarif-schema-2.1.0.json', import.meta.url), 'utf8');
    const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
    formats.default(ajv);
    const isSarif = ajv.compile(JSON.parse(schema) as object);
    const odd = [
      ...allRules.map(({ key, type, severity }, line) =>
        finding({ rule: key, type, severity, line: line + 1 }),
      ),
      ...['/absolute', 'C:\\x', 'a b#c?d%e', 'ä/\u0001', 'file://x', '', '//', 'a.zip!/b'].map((file) =>
        finding({ file, message: file }),
      ),
      finding({ rule: 'findsecbugs:OTHER', type: 'VULNERABILITY', message: '' }),
      finding({}),
      finding({}),
    ];
    for (const log of [read(), read(...odd)]) {
      isSarif(log);
      deepEqual(isSarif.errors, null);
    }
    const broken = read(finding({ line: 0 }));
    ok(!isSarif(broken), 'a line 0 must not be valid');
  });

  it('describes the driver and every rule with help', () => {
    const log = read();
    equal(log.version, '2.1.0');
    match(log.$schema!, /sarif.*2\.1\.0/);
    const { driver } = log.runs[0]!.tool;
    deepEqual([driver.name, driver.semanticVersion], ['Fairway', '1.2.3']);
    deepEqual(
      driver.rules!.map(({ id }) => id),
      allRules.map(({ key }) => key),
    );
    for (const rule of driver.rules!) {
      ok(
        rule.help!.text && rule.help!.markdown && rule.shortDescription!.text && rule.fullDescription!.text,
        rule.id,
      );
      ok(['error', 'warning', 'note'].includes(rule.defaultConfiguration!.level!), rule.id);
    }
  });

  it('has a relative place, a level and its rule for every finding', () => {
    const log = read(
      finding({ file: 'ui apps/ä#.xml', line: 7 }),
      finding({ rule: 'engine:other', severity: 'MAJOR', file: 'a.zip!/jcr_root/x' }),
    );
    const { results, tool } = log.runs[0]!;
    const brief = results!.map(({ ruleId, ruleIndex, level, locations }) => {
      const { artifactLocation, region } = locations![0]!.physicalLocation!;
      equal(tool.driver.rules![ruleIndex!]!.id, ruleId);
      return [ruleId, level, artifactLocation!.uri, region!.startLine];
    });
    deepEqual(brief, [
      ['engine:other', 'warning', 'a.zip!/jcr_root/x', 1],
      ['BannedPath', 'error', 'ui%20apps/%C3%A4%23.xml', 7],
    ]);
  });

  it('knows a finding again after lines were added above it, and tells equal ones apart', () => {
    const prints = (...lines: number[]) =>
      read(...lines.map((line) => finding({ line }))).runs[0]!.results!.map(
        ({ partialFingerprints }) => partialFingerprints!['fairway/v1'],
      );
    const before = prints(3, 5);
    deepEqual(prints(4, 6), before);
    equal(new Set(before).size, 2);
  });
});

describe('docs/scanning.md', () => {
  it('lists the rules as they are', async () => {
    const docs = await readFile(new URL('../../../docs/scanning.md', import.meta.url), 'utf8');
    const [, listed] = /<!-- rules: [^\n]*-->\n([^]*)<!-- end of rules -->/.exec(docs) ?? [];
    const squeezed = (text = '') => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---').trim();
    equal(squeezed(listed), squeezed(rulesAsMarkdown()));
  });
});
