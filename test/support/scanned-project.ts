import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A project with one Java module as a build leaves it, without having been built. */
export async function builtProject(
  root: string,
  files: readonly string[] = ['com/example/Planted'],
): Promise<void> {
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  for (const file of files) {
    await write(`src/main/java/${file}.java`, 'class Planted {}\n');
    await write(`target/classes/${file}.class`, '');
  }
  await write('src/test/java/com/example/PlantedTest.java', 'class PlantedTest {}\n');
  await write('target/jacoco.exec', '');
}

/** JaCoCo's report of two covered lines of 55 and one branch of four. */
export const jacocoReport =
  `<report name="r"><package name="com/example"><sourcefile name="Planted.java">` +
  `<line nr="1" mi="0" ci="1" mb="3" cb="1"/><counter type="BRANCH" missed="3" covered="1"/>` +
  `<counter type="LINE" missed="53" covered="2"/></sourcefile></package></report>`;

/**
 * Programs instead of Maven and Java: Maven makes the folders of the analysers; JaCoCo and the SonarScanner do what the
 * scripts say, in which `$report` is the report of JaCoCo and `$settings` and `$task` are files of the scanner's.
 * @returns the folder for the PATH
 */
export async function fakeTools(
  folder: string,
  scripts: { readonly jacoco?: string; readonly scanner?: string } = {},
): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const program = async (name: string, lines: readonly string[]) => {
    await writeFile(join(bin, name), ['#!/bin/sh', ...lines, ''].join('\n'));
    await chmod(join(bin, name), 0o755);
  };
  await program('mvn', [
    'for f; do case $f in */pom.xml) making=$(dirname "$f");; esac; done',
    'mkdir -p "$making/scanner/lib" "$making/jacoco/lib"',
  ]);
  await writeFile(join(bin, 'jacoco.xml'), jacocoReport);
  await program('java', [
    `bin='${bin}'`,
    'for f; do case $f in -Dproject.settings=*) settings=${f#*=};; */jacoco.xml) report=$f;; esac; done',
    'case "$*" in',
    `*jacoco*) ${scripts.jacoco ?? 'cp "$bin/jacoco.xml" "$report"'} ;;`,
    '*)',
    'task=$(dirname "$settings")/report-task.txt',
    'cp "$settings" "$bin/settings"; env > "$bin/environment"; echo "$*" > "$bin/arguments"',
    scripts.scanner ?? 'printf "projectKey=x\\nceTaskId=T-1\\nceTaskUrl=http://elsewhere/\\n" > "$task"',
    ';;',
    'esac',
  ]);
  return bin;
}
