import { readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import type { Finding } from '../../model/findings.ts';
import { Failure } from '../failure.ts';
import { pmdRules, type PmdRule } from './pmd-rules.ts';
import { lists } from './project.ts';
import type { BuiltProject, ScanTools } from './scanner.ts';
import { java, runTool } from './tools.ts';

const LARGEST = 64 * 1024 * 1024;
const CLI = 'net.sourceforge.pmd.cli.PmdCli';

/** Name that PMD reports a rule by. */
const nameOf = ({ name }: PmdRule) => name.slice(name.indexOf('/') + 1);
const byName = new Map(pmdRules.map((rule) => [nameOf(rule), rule]));

/** PMD's rule set, made from the table. */
export const ruleSet = (): string =>
  [
    '<?xml version="1.0"?>',
    '<ruleset name="fairway" xmlns="http://pmd.sourceforge.net/ruleset/2.0.0"><description>Fairway</description>',
    ...pmdRules.map(({ name, xpath, message = '' }) =>
      xpath
        ? `<rule name="${name}" language="java" message="${escaped(message)}" class="net.sourceforge.pmd.lang.rule.xpath.XPathRule">` +
          `<description>${escaped(message)}</description><properties><property name="xpath"><value>${escaped(xpath)}</value></property></properties></rule>`
        : `<rule ref="category/java/${name.replace('/', '.xml/')}"/>`,
    ),
    '</ruleset>',
  ].join('\n');

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/**
 * Runs PMD with the rules of the table over the sources of all modules.
 * @returns the findings, and the files that PMD could not read
 * @throws Failure `NotReady` when it ends badly, `InvalidArtifact` when its report cannot be read
 */
export async function pmd(
  folder: string,
  project: BuiltProject,
  tools: ScanTools,
): Promise<{ readonly findings: readonly Finding[]; readonly unread: readonly string[] }> {
  const at = (name: string) => join(project.work, name);
  await writeFile(at('pmd-rules.xml'), ruleSet());
  const command = await java(folder, 'pmd', CLI, [
    ...['check', '--no-progress', '--no-cache', '--no-fail-on-violation', '--no-fail-on-error'],
    ...['--rulesets', at('pmd-rules.xml'), '--file-list', lists(project).sources],
    ...['--format', 'json', '--report-file', at('pmd.json')],
    ...['--aux-classpath', `file://${lists(project).libraries}`],
  ]);
  const { code, last } = await runTool(tools, project.work, command);
  if (code !== 0) throw new Failure('NotReady', `PMD ended with exit code ${code}`, { details: last });
  return readPmd(at('pmd.json'), project.root);
}

const reportSchema = z.object({
  files: z.array(
    z.object({
      filename: z.string(),
      violations: z.array(z.object({ beginline: z.number(), description: z.string(), rule: z.string() })),
    }),
  ),
  processingErrors: z.array(z.object({ filename: z.string() })).default([]),
});

export async function readPmd(
  report: string,
  root: string,
): Promise<{ readonly findings: readonly Finding[]; readonly unread: readonly string[] }> {
  const refuse = (problem: string, cause?: unknown) =>
    new Failure('InvalidArtifact', `the report of PMD ${problem}`, { cause });
  const found = await stat(report).catch((cause: unknown) => {
    throw refuse('is missing', cause);
  });
  if (found.size > LARGEST) throw refuse('is larger than 64 MiB');
  let parsed: z.infer<typeof reportSchema>;
  try {
    parsed = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
  } catch (cause) {
    throw refuse('is not what PMD writes', cause);
  }
  const findings = parsed.files.flatMap(({ filename, violations }) =>
    violations.flatMap(({ rule: name, description, beginline }) => {
      const rule = byName.get(name);
      if (!rule) return [];
      return [
        {
          rule: rule.key ?? `pmd:${name}`,
          type: rule.type,
          severity: rule.severity,
          message: description.replace(/\s+/g, ' ').trim(),
          file: relative(root, filename),
          ...(beginline > 0 && { line: beginline }),
          ...(rule.cloudService && { cloudService: true }),
        },
      ];
    }),
  );
  const unread = new Set(parsed.processingErrors.map(({ filename }) => relative(root, filename)));
  return { findings, unread: [...unread] };
}
