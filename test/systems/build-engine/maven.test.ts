import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildVersion, mavenCommands } from '../../../src/systems/build-engine/maven.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('Maven commands', () => {
  const folder = temporaryFolder();
  const artifactsVersion = '2019.523.134947.0000006554';
  const commands = () => mavenCommands(folder(), { artifactsVersion, repository: '/repository' });
  const pom = (content: string) => writeFile(join(folder(), 'pom.xml'), `<project>${content}</project>`);

  it('makes the version a suffix of a static three-part one only', () => {
    assert.equal(buildVersion('1.0.0', artifactsVersion), '1.0.0.2019_0523_134947_0000006554');
    assert.equal(buildVersion('10.20.30', '2026.1122.1.0000000001'), '10.20.30.2026_1122_1_0000000001');
    for (const other of ['1.0', '1.0.0-SNAPSHOT', '1.0.0.1', '${revision}', '1.0.x'])
      assert.equal(buildVersion(other, artifactsVersion), artifactsVersion);
  });

  it('are those of Cloud Manager, in its order, with the former version at hand', async () => {
    await pom('<parent><version>9</version></parent><version>1.0.0</version>');
    const lines = (await commands()).map((command) => command.join(' '));
    const goals = [':set', ':resolve-plugins', ':clean', ':prepare-agent package'];
    goals.forEach((goal, n) => assert.ok(lines[n]?.includes(goal), `${lines[n]} has ${goal}`));
    assert.equal(lines.length, goals.length);
    assert.ok(lines[0]?.includes('-DnewVersion=1.0.0.2019_0523_134947_0000006554'));
    for (const line of lines) assert.match(line, /^mvn --batch-mode .*-DcloudManagerOriginalVersion=1\.0\.0/);
  });

  it("use the project's own settings, and a version that comes from the parent", async () => {
    await pom('<parent><version>7.0</version></parent>');
    await mkdir(join(folder(), '.cloudmanager', 'maven'), { recursive: true });
    await writeFile(join(folder(), '.cloudmanager', 'maven', 'settings.xml'), '<settings/>');
    const line = (await commands())[1]?.join(' ') ?? '';
    assert.match(line, /--settings .*\.cloudmanager\/maven\/settings\.xml/);
    assert.match(line, /OriginalVersion=7\.0 /);
  });

  it('need a Maven project', async () => {
    await assert.rejects(commands(), { type: 'BuildFailed', message: /no pom\.xml/ });
    await pom('');
    await assert.rejects(commands(), { type: 'BuildFailed', message: /no version|not the XML/ });
    await writeFile(join(folder(), 'pom.xml'), 'plain text');
    await assert.rejects(commands(), { type: 'BuildFailed' });
  });
});
