import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { xmlReports } from '../xml-report.ts';
import { lists } from './project.ts';
import type { BuiltProject, ScanTools } from './scanner.ts';
import { java, runTool } from './tools.ts';

/** Tokens that a stretch of code must repeat: about the 10 statements that SonarQube looks for in Java. */
export const MINIMUM_TOKENS = 100;

const readXml = xmlReports(['duplication', 'file', 'error'], ['*.codefragment']);

/**
 * Runs CPD over the sources.
 * @returns the number of distinct lines that are part of a duplicate
 * @throws Failure `NotReady` when it ends badly, `InvalidArtifact` when its report cannot be read
 */
export async function duplicatedLines(
  folder: string,
  project: BuiltProject,
  tools: ScanTools,
): Promise<number> {
  const report = join(project.work, 'cpd.xml');
  const command = await java(folder, 'pmd', 'net.sourceforge.pmd.cli.PmdCli', [
    ...['cpd', '--language', 'java', '--format', 'xml', '--minimum-tokens', String(MINIMUM_TOKENS)],
    ...['--file-list', lists(project).sources, '--no-fail-on-violation', '--no-fail-on-error'],
  ]);
  // CPD knows no report file: its report is what it says.
  const said: string[] = [];
  const { code, last } = await runTool(tools, project.work, command, {
    onLine: (line) => said.push(line),
  });
  if (code !== 0) throw new Failure('NotReady', `CPD ended with exit code ${code}`, { details: last });
  const start = said.findIndex((line) => line.startsWith('<?xml'));
  const end = said.findLastIndex((line) => line.includes('</pmd-cpd>'));
  await writeFile(report, said.slice(Math.max(start, 0), end + 1).join('\n'));
  return readDuplicates(report);
}

export async function readDuplicates(report: string): Promise<number> {
  type Copy = { readonly path: string; readonly line: string; readonly endline: string };
  const parsed = await readXml<{ 'pmd-cpd'?: { duplication?: { file?: Copy[] }[] } | '' }>(report, 'of CPD');
  if (parsed['pmd-cpd'] === undefined)
    throw new Failure('InvalidArtifact', 'the report of CPD has no pmd-cpd');
  const lines = new Set<string>();
  for (const { file: copies = [] } of (parsed['pmd-cpd'] || {}).duplication ?? [])
    for (const { path, line, endline } of copies)
      for (let at = Number(line); at <= Number(endline); at++) lines.add(`${path}:${at}`);
  return lines.size;
}

/** Physical lines, and those with code, of Java sources. */
export async function countLines(files: readonly string[]): Promise<{ lines: number; code: number }> {
  const sum = { lines: 0, code: 0 };
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    const one = linesOf(text);
    sum.lines += one.lines;
    sum.code += one.code;
  }
  return sum;
}

/** A line counts as code when something of it is neither blank nor comment; SonarQube counts likewise. */
export function linesOf(text: string): { lines: number; code: number } {
  // Strings first, so that what looks like a comment in them is none; text blocks before strings.
  const plain = text.replace(
    /"""[^]*?"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)/g,
    (part) => (part.startsWith('/') ? part.replace(/[^\n]/g, '') : part.replace(/[^\n]/g, '"')),
  );
  const lines = plain.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return { lines: lines.length, code: lines.filter((line) => line.trim() !== '').length };
}
