import type { Activities, LoadTestInput } from '../model/activities.ts';
import { idsOf } from '../model/execution.ts';
import { nodesOf } from '../model/measured-nodes.ts';
import { assetsMetrics, errorRate } from '../model/performance.ts';
import { assetsApi, UPLOAD_TIME_OUT_MS, type AssetsApi } from '../systems/assets/assets-api.ts';
import { uploadLoad } from '../systems/assets/upload-load.ts';
import { Failure, messageOf } from '../systems/failure.ts';
import { pageTable } from '../systems/load/page-table.ts';
import { stretchSeconds, timeSeries } from '../systems/load/series.ts';
import { monitorNodes } from '../systems/node-metrics/monitor.ts';
import { pause } from '../systems/pause.ts';
import type { Deps } from './deps.ts';
import { keepPerformance } from './performance-results.ts';
import { testOfStage } from './test-of-stage.ts';

const REMOVING_MS = 30_000;
const BETWEEN_MS = 1_000;

/**
 * The assets test: uploads images and PDF documents to the first author, into a folder of the execution's own, while
 * every node is measured. The folder goes however the test ends; one that was left by an attempt that died goes first.
 */
export const assetsTestActivities = ({ storage, secret }: Deps): Pick<Activities, 'assetsTest'> => ({
  assetsTest: testOfStage(storage, 'assetsTest', async (input: LoadTestInput, { signal, beat, say }) => {
    const { environment, goals, executionKey } = input;
    const { executionId } = idsOf(executionKey);
    const [author] = environment.author;
    if (!author) throw new Failure('Missing', `${environment.name} has no author to upload assets to`);
    const api = assetsApi({ url: author.url, credentials: await secret(author.credentials) });
    const folder = `fairway-${executionId}`;
    if (await api.removeFolder(folder, signal))
      await say(`removed /content/dam/${folder}, left by an earlier attempt`);

    const { durationSeconds } = goals;
    const { uploadsPerMinute, imagesPercent } = goals.assets;
    const monitor = await monitorNodes(nodesOf(environment), stretchSeconds(durationSeconds) * 1000, signal);
    const uploading = async () => {
      await api.createFolder(folder, `Fairway: assets test of execution ${executionId}`, signal);
      await say(
        `${uploadsPerMinute} uploads per minute, ${imagesPercent} % of them images, for ${durationSeconds} s to /content/dam/${folder} of ${author.id}`,
      );
      const series = timeSeries(durationSeconds, UPLOAD_TIME_OUT_MS);
      const files = pageTable(UPLOAD_TIME_OUT_MS);
      const planned = Math.round((uploadsPerMinute * durationSeconds) / 60);
      let done = 0;
      const uploads = await uploadLoad({
        ...{ api, folder, imagesPercent, signal, perMinute: uploadsPerMinute },
        durationMs: durationSeconds * 1000,
        onResult: (result) => {
          series.add(result);
          files.add(result);
          beat(`${++done} of ${planned} uploads`);
        },
      });
      signal.throwIfAborted();
      return { uploads, series, files, nodes: await monitor.end() };
    };
    const left: string[] = [];
    let ended;
    try {
      ended = await uploading();
    } finally {
      monitor.stop();
      const problem = await removed(api, folder);
      if (problem) left.push(problem);
      await say(problem ?? `removed /content/dam/${folder}`);
    }
    const { uploads, series, files, nodes } = ended;
    for (const { at, path, failure } of uploads.failures) await say(`${at} ${path} ${failure ?? ''}`);
    return keepPerformance(
      storage,
      { step: 'assetsTest', ...input },
      {
        ...{ rows: assetsMetrics, measured: { assets_error_rate: errorRate([uploads]) }, nodes },
        series: series.result(nodes),
        picture: {
          ...{ title: `Assets test of ${environment.name}`, things: 'uploads' },
          ...{ perMinute: uploadsPerMinute, durationSeconds },
        },
        failing: files.failing(),
        details: { uploads },
        problems: left,
      },
    );
  }),
});

/** Removes the folder, also when the test was cancelled: not under its signal. @returns what is left, for people */
async function removed(api: AssetsApi, folder: string): Promise<string | undefined> {
  const limit = AbortSignal.timeout(REMOVING_MS);
  for (;;) {
    try {
      await api.removeFolder(folder, limit);
      return undefined;
    } catch (error) {
      const isFinal = limit.aborted || !(error instanceof Failure) || error.type !== 'Unavailable';
      const gaveUp =
        isFinal ||
        (await pause(BETWEEN_MS, limit).then(
          () => false,
          () => true,
        ));
      if (gaveUp) return `/content/dam/${folder} could not be removed, do it by hand: ${messageOf(error)}`;
    }
  }
}
