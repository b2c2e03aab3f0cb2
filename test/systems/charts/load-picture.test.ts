import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPicture } from '../../../src/systems/charts/load-picture.ts';
import { ticks } from '../../../src/systems/charts/panel.ts';
import { pagesCsv, pageTable } from '../../../src/systems/load/page-table.ts';
import { seriesCsv, stretchSeconds, timeSeries } from '../../../src/systems/load/series.ts';

import { xmlReports } from '../../../src/systems/xml-report.ts';
import { temporaryFolder } from '../../support/folder.ts';

const result = (dueMs: number, ms: number, failure?: string) => ({
  ...{ at: '', dueMs, path: '/a', ms, failure },
  answered: failure === undefined,
});
const texts = { title: 'Load <test> & "more"', things: 'page views', perMinute: 60, durationSeconds: 60 };

describe('the time series of a test', () => {
  const folder = temporaryFolder();
  it('is by minutes, of short tests by seconds', () => {
    assert.deepEqual([1, 30, 60, 600, 1800, 7200].map(stretchSeconds), [1, 1, 2, 20, 60, 60]);
  });

  const series = () => {
    const collected = timeSeries(60, 20_000);
    for (const one of [
      result(0, 10),
      result(1_999, 30),
      result(2_000, 500),
      result(59_999, 20_000, 'no answer'),
    ])
      collected.add(one);
    const now = Date.now();
    const usages = [{ from: now + 2_500, to: now + 3_500, usage: { cpu: 12.3456, disk: 3 } }];
    return collected.result([{ node: 'publish1', usage: {}, usages }]);
  };

  it('puts each request where it was due, and leaves gaps where nothing was measured', () => {
    const { stretches } = series();
    assert.equal(stretches.length, 30);
    assert.deepEqual(
      stretches
        .filter(({ requests }) => requests > 0)
        .map(({ second, requests, failed, p95Ms, peakMs }) => [second, requests, failed, p95Ms, peakMs]),
      [
        [0, 2, 0, 30, 30],
        [2, 1, 0, 500, 500],
        [58, 1, 1, 20_000, 20_000],
      ],
    );
    const rows = seriesCsv(series(), ['publish1', 'author']).split('\r\n');
    assert.match(
      rows[0] ?? '',
      /^\ufefftime,requests,answered,failed,p95_ms,peak_ms,publish1_cpu_percent,.*author_network_percent$/,
    );
    assert.match(rows[2] ?? '', /Z,1,1,0,500,500,12\.35,,3,,,,,$/);
    assert.match(rows[3] ?? '', /Z,0,0,0,,,,,,,,,,$/);
  });

  it('is drawn as SVG, also where nothing was measured or names are hostile', async () => {
    for (const nodes of [
      [],
      ['publish1', '<script>"&'],
      Array.from({ length: 12 }, (_, n) => `publish${n}`),
    ]) {
      const svg = loadPicture(series(), nodes, texts);
      const file = join(folder(), 'picture.svg');
      await writeFile(file, svg);
      await xmlReports([])(file, 'picture');
      assert.ok(!svg.includes('NaN') && !svg.includes('undefined') && !svg.includes('<script>'));
      for (const title of [
        'Response time',
        'Page views',
        'CPU utilisation',
        'Disk I/O wait',
        'Network bandwidth',
      ])
        assert.ok(svg.includes(title));
    }
    assert.match(loadPicture(series(), [], texts), /not measured/);
  });

  it('has round numbers at its axes', () => {
    assert.deepEqual(ticks(1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
    assert.deepEqual(ticks(18_000), [0, 5000, 10_000, 15_000, 20_000]);
    assert.deepEqual(ticks(100), [0, 20, 40, 60, 80, 100]);
  });
});

describe('the pages of a test', () => {
  it('that are slow or fail are listed, the worst first', () => {
    const pages = pageTable(20_000);
    const add = (path: string, ms: number, failure?: string) =>
      pages.add({ ...result(0, ms, failure), path, answered: ms < 20_000 });
    for (let n = 0; n < 99; n++) add('/good', 10);
    add('/good', 9_000);
    add('/slow', 2_000);
    add('/slower', 20_000, 'no answer within 20 s');
    add('/=error', 5, 'status 500');
    assert.deepEqual(
      pages.slow(2_000).map(({ path }) => path),
      ['/slower', '/slow'],
    );
    assert.deepEqual(
      pages.failing().map(({ path, lastFailure }) => [path, lastFailure]),
      [
        ['/slower', 'no answer within 20 s'],
        ['/=error', 'status 500'],
      ],
    );
    assert.match(
      pagesCsv(pages.failing()),
      /page,requests,failed,p95_ms,peak_ms,last_failure\r\n\/slower,1,1,20000,20000,no answer/,
    );
  });
});
