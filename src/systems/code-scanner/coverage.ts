import { join } from 'node:path';
import type { CoverageCounts } from '../../model/code-quality.ts';
import { Failure } from '../failure.ts';
import { xmlReports } from '../xml-report.ts';
import { classesOf, sourcesByPackage } from './project.ts';
import type { BuiltProject, JavaModule, ScanTools } from './scanner.ts';
import { java, runTool } from './tools.ts';

interface Counter {
  readonly type: string;
  readonly missed: string;
  readonly covered: string;
}
interface Group {
  readonly package?: readonly {
    readonly name: string;
    readonly sourcefile?: readonly { readonly name: string; readonly counter?: readonly Counter[] }[];
  }[];
}

export interface Coverage {
  readonly counts: CoverageCounts;
  /** Sources that have a part in it, relative to the project's root. */
  readonly files: ReadonlySet<string>;
}

const readXml = xmlReports(['package', 'sourcefile', 'counter'], ['*.class', '*.line']);

/** Where JaCoCo's report over all modules is, in the work folder. */
export const coverageReport = (project: BuiltProject): string => join(project.work, 'jacoco.xml');

/**
 * Reports the coverage of all Java sources of all modules, also of those that no test touched, which count as uncovered.
 * Both engines use this report. Packages with `it` in their name are tests, as in Cloud Manager.
 * @throws Failure `NotReady` when JaCoCo ends badly, `InvalidArtifact` when its report cannot be read
 */
export async function coverage(folder: string, project: BuiltProject, tools: ScanTools): Promise<Coverage> {
  const report = coverageReport(project);
  const executions = project.modules.flatMap(({ executions }) => executions);
  const command = await java(folder, 'jacoco', 'org.jacoco.cli.internal.Main', [
    ...['report', ...executions.map((file) => join(project.root, file))],
    ...classesOf(project).flatMap((classes) => ['--classfiles', classes]),
    ...['--xml', report, '--quiet'],
  ]);
  const { code, last } = await runTool(tools, project.work, command);
  if (code !== 0) throw new Failure('NotReady', `JaCoCo ended with exit code ${code}`, { details: last });
  return readCoverage(report, project.modules);
}

/** Of classes without a source in the project, generated ones above all, only the class files are known: they do not count. */
export async function readCoverage(report: string, modules: readonly JavaModule[]): Promise<Coverage> {
  const { report: root } = await readXml<{ report?: Group | '' }>(report, 'of JaCoCo');
  if (root === undefined) throw new Failure('InvalidArtifact', 'the report of JaCoCo has no element report');
  const sources = sourcesByPackage(modules);
  const all = ((root || {}).package ?? []).flatMap(({ name, sourcefile = [] }) =>
    sourcefile
      .filter(({ counter = [] }) => counter.some(({ type }) => type === 'LINE'))
      .map((file) => ({
        counters: file.counter ?? [],
        path: sources.get(name ? `${name}/${file.name}` : file.name),
        isTest: name.split('/').includes('it'),
      })),
  );
  const known = all.flatMap(({ path, ...file }) => (path === undefined ? [] : [{ path, ...file }]));
  if (all.length > 0 && known.length === 0)
    throw new Failure('InvalidArtifact', 'no class has a Java source below src/main/java');
  const counted = known.filter(({ isTest }) => !isTest);
  const counters = counted.flatMap((file) => file.counters);
  const sum = (type: string, fields: readonly ('missed' | 'covered')[]) =>
    counters
      .filter((counter) => counter.type === type)
      .reduce((total, counter) => total + fields.reduce((n, field) => n + Number(counter[field]), 0), 0);
  return {
    counts: {
      lines: sum('LINE', ['covered', 'missed']),
      coveredLines: sum('LINE', ['covered']),
      branches: sum('BRANCH', ['covered', 'missed']),
      coveredBranches: sum('BRANCH', ['covered']),
    },
    files: new Set(counted.map(({ path }) => path)),
  };
}
