import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { packageActivities } from '../../src/activities/packages.ts';
import { startAem } from '../../src/local/aem/aem.ts';
import { packageLabel, type AemArtifact } from '../../src/model/artifacts.ts';
import { Failure } from '../../src/systems/failure.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { contentPackage, storedArtifact } from '../support/aem-packages.ts';
import { cuttingProxy, type Cut } from '../support/cutting-proxy.ts';
import { temporaryFolder } from '../support/folder.ts';
import { random } from '../support/random.ts';

const SEED = 20260;
const ATTEMPTS = 4;

describe('the connection to AEM is cut', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  let artifact: AemArtifact;

  beforeEach(async () => {
    const files = { '/big.bin': randomBytes(600_000) };
    artifact = await storedArtifact(storage(), await contentPackage(folder(), 'Home', { files }));
  });

  it('at any byte of an upload: the package is installed, and once', () =>
    survives(/^POST \S*cmd=upload/, [
      ...fixed('request', (length) => [0, 1, 40, 700, length - 1, length - 3, length - 40]),
      ...generated('request', 4),
      ...fixed('answer', () => [0, 1, 60, 150]),
    ]));

  it('at any byte of an installation: the package is installed, and once', () =>
    survives(/^POST \S*\/etc\/packages\//, [
      ...fixed('request', (length) => [0, 150, length - 1]),
      ...generated('request', 2),
      ...fixed('answer', () => [0, 1, 60, 300]),
      ...generated('answer', 2),
    ]));

  type Point = Omit<Cut, 'request'>;

  function fixed(side: Cut['side'], bytes: (length: number) => readonly number[]): Point[] {
    return bytes(1_000).map((_, index) => ({ side, after: (length) => bytes(length)[index] ?? 0 }));
  }

  function generated(side: Cut['side'], count: number): Point[] {
    const { below } = random(SEED);
    return Array.from({ length: count }, () => {
      const share = below(1_000) / 1_000;
      return { side, after: (length) => Math.floor(length * share) };
    });
  }

  async function survives(request: RegExp, points: readonly Point[]): Promise<void> {
    const ends = await Promise.all(points.map((point, index) => one({ request, ...point }, index)));
    assert.deepEqual(ends.flat(), []);
  }

  /** @returns what was not as it must be */
  async function one(cut: Cut, index: number): Promise<string[]> {
    let bytes = NaN;
    const after = (length: number) => (bytes = cut.after(length));
    const place = join(folder(), `publish${index}`);
    const aem = await startAem({ runMode: 'publish', password: 'secret', folder: place, restartMs: 0 });
    const proxy = await cuttingProxy(aem.port, { ...cut, after });
    try {
      const trouble = await untilInstalled(`publish${index}`, proxy.url);
      const installs = aem.actions.filter(({ what }) => what === 'install').length;
      const installed = aem.installed().map(packageLabel);
      return [
        ...(proxy.done() ? [] : ['nothing was cut']),
        ...trouble,
        ...(installs === 1 ? [] : [`installed ${installs} times`]),
        ...(installed.join() === packageLabel(artifact.package.id) ? [] : [`there is ${installed.join()}`]),
      ].map((problem) => `after ${bytes} bytes of the ${cut.side}: ${problem}`);
    } finally {
      await proxy.close();
      await aem.stop();
    }
  }

  /** Tries as Temporal would. @returns failures that would not have been tried again, or say nothing */
  async function untilInstalled(id: string, url: string): Promise<string[]> {
    const { installPackage } = packageActivities({
      storage: storage(),
      secret: async () => 'admin:secret',
      workFolder: join(folder(), 'work'),
    });
    for (let attempt = 1; ; attempt += 1)
      try {
        const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
        const instance = { id, url, credentials: 'AEM' };
        await environment.run(installPackage, {
          deployment: '1',
          instance,
          artifact,
          log: '1/2/3/deploy.log',
        });
        return [];
      } catch (error) {
        const clear = error instanceof Failure && error.type === 'Unavailable' && error.message.includes(url);
        if (!clear) return [`attempt ${attempt} failed with ${String(error)}`];
        if (attempt === ATTEMPTS) return [`${ATTEMPTS} attempts failed: ${error.message}`];
      }
  }
});
