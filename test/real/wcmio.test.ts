import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startAem, type AemStandIn } from '../../src/local/aem/aem.ts';
import { run } from '../../src/systems/process.ts';
import { containerPackage, contentPackage, GROUP, packageFile } from '../support/aem-packages.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';

/**
 * The stand-in of AEM, judged by a client of other people: wcm.io's Maven plugin. It is here because Maven downloads
 * the plugin, once.
 */
describe('the stand-in of AEM and wcm.io’s package plugin', function () {
  this.timeout(180_000);
  afterEach(() => aem.stop());
  const folder = temporaryFolder();
  let aem: AemStandIn;

  beforeEach(async () => {
    const options = { runMode: 'publish', password: 'secret', folder: join(folder(), 'aem') } as const;
    aem = await startAem({ ...options, restartMs: 300 });
  });

  const install = async (file: string, ...options: string[]) => {
    const { code, stdout } = await run(
      'mvn',
      [
        ...['--batch-mode', '--no-transfer-progress'],
        'io.wcm.maven.plugins:wcmio-content-package-maven-plugin:2.2.0:install',
        `-Dvault.file=${file}`,
        `-Dvault.serviceURL=${aem.url}/crx/packmgr/service`,
        ...['-Dvault.userId=admin', '-Dvault.password=secret', ...options],
      ],
      { cwd: folder() },
    );
    return { code, output: stdout };
  };
  const actions = () => aem.actions.map(({ what }) => what);

  it('a package that AEM refuses makes it fail', async () => {
    const file = await packageFile(folder(), { name: 'second', dependencies: `${GROUP}:first:1.0` });
    const { code, output } = await install(file);
    assert.notEqual(code, 0, output);
    assert.match(output, /DependencyException: Refusing to install[^]*BUILD FAILURE/);
  });

  it('installs a container, and what is inside arrives; leaves what is installed alone', async () => {
    const file = await containerPackage(folder());
    const first = await install(file);
    assert.equal(first.code, 0, first.output);
    await until('the packages inside are installed', () => aem.installed().length === 3, 30_000);
    assert.deepEqual(actions(), ['upload', 'install']);
    const second = await install(file);
    assert.equal(second.code, 0, second.output);
    assert.match(second.output, /[Pp]ackage skipped/);
    assert.deepEqual(actions(), ['upload', 'install']);
  });

  it('installs once more by force', async () => {
    const file = await contentPackage(folder(), 'Home');
    for (let time = 1; time <= 2; time += 1) {
      const { code, output } = await install(file, '-Dvault.force=true');
      assert.equal(code, 0, output);
      assert.equal(actions().filter((action) => action === 'install').length, time);
    }
  });
});
