import { deepEqual } from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../../src/local/setup/prepare.ts';
import type { Finding } from '../../../src/model/findings.ts';
import { localEngine } from '../../../src/systems/build-engine/local.ts';
import { pmd } from '../../../src/systems/code-scanner/pmd.ts';
import { pmdRules } from '../../../src/systems/code-scanner/pmd-rules.ts';
import { writeLists } from '../../../src/systems/code-scanner/project.ts';
import { analysers, embeddedTools } from '../../../src/systems/code-scanner/tools.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { javaExamples } from './java-examples.ts';

/** A class with these members; imports stay in front of it. */
const classOf = (name: string, members: string): string =>
  members.startsWith('import ') ? `${members}class ${name} {}\n` : `class ${name} {\n  ${members}\n}\n`;

describe('The rules of Cloud Manager for Java', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();

  it('have one bad and one good example each; PMD finds the bad one in its line, and nothing in the good one', async () => {
    const keys = pmdRules.flatMap(({ key }) => (key === undefined ? [] : [key]));
    deepEqual(Object.keys(javaExamples).sort(), [...new Set(keys)].sort());

    const root = join(folder(), 'project');
    await mkdir(root);
    const files = Object.entries(javaExamples).flatMap(([key, { bad, good }], n) => [
      { key, path: `Bad${n}.java`, text: classOf(`Bad${n}`, bad) },
      { key, path: `Good${n}.java`, text: classOf(`Good${n}`, good) },
    ]);
    for (const { path, text } of files) await writeFile(join(root, path), text);
    const sources = files.map(({ path }) => path);
    const project = {
      ...{ work: folder(), root, libraries: [], tests: { run: 0, failed: 0, skipped: 0 } },
      modules: [{ path: '.', sources, tests: [], executions: [] }],
    };
    const tools = {
      ...{ id: `pmd-${process.pid}`, engine: localEngine(), toolsFolder: join(cacheFolder(), 'analysers') },
      mavenRepository: join(homedir(), '.m2', 'repository'),
      ...{ say: () => undefined, signal: new AbortController().signal },
    };
    await writeLists(project);
    const { findings, unread } = await pmd(await analysers(tools, folder(), embeddedTools), project, tools);

    deepEqual(unread, []);
    const at = ({ file, line }: Finding) => `${file}:${line}`;
    for (const { key, path, text } of files) {
      const expected = path.startsWith('Bad')
        ? [`${path}:${text.split('\n').findIndex((line) => line.includes('BAD')) + 1}`]
        : [];
      const found = findings.filter(({ rule, file }) => rule === key && file === path).map(at);
      deepEqual(found, expected, key);
    }
  });
});
