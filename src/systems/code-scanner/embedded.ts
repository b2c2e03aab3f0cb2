import { measuresOf } from '../../model/code-quality.ts';
import type { BuildEngine } from '../build-engine/engine.ts';
import { attempts } from './attempts.ts';
import { coverage } from './coverage.ts';
import { countLines, duplicatedLines } from './duplicates.ts';
import { pmd } from './pmd.ts';
import { sourcesOf, writeLists } from './project.ts';
import type { CodeScanner } from './scanner.ts';
import { spotbugs } from './spotbugs.ts';
import { analysers, embeddedTools } from './tools.ts';

/** Two run beside each other: SpotBugs takes about as long as all the others. */
const lanes = ['classes', 'sources'] as const;
type Lane = (typeof lanes)[number];
const laneId = (id: string, lane: Lane) => `${id}-${lane}`;

/** Ends what a dead attempt of this scan left running. */
export async function clearLanes(engine: BuildEngine, id: string): Promise<void> {
  for (const each of [id, ...lanes.map((lane) => laneId(id, lane))]) await engine.clear(each);
}

/** Files that a problem names at most. */
const NAMED = 5;

/** Analyses with SpotBugs, FindSecBugs, PMD, CPD and JaCoCo, without a server. docs/quality-gates.md says how they count. */
export const embeddedScanner: CodeScanner = async (project, tools) => {
  const { attempt, problems } = attempts(tools);
  const folder = await analysers(tools, project.work, embeddedTools);
  await writeLists(project);
  const lane = (name: Lane) => ({ ...tools, id: laneId(tools.id, name) });
  const [bugs, sources] = await Promise.all([
    attempt(() => spotbugs(folder, project, lane('classes'))),
    (async () => {
      const rules = await attempt(() => pmd(folder, project, lane('sources')));
      return {
        rules,
        duplicates: await attempt(() => duplicatedLines(folder, project, lane('sources'))),
        coverage: await attempt(() => coverage(folder, project, lane('sources'))),
      };
    })(),
  ]);
  const { rules, duplicates } = sources;
  if (rules && rules.unread.length > 0)
    problems.push(`PMD cannot read ${rules.unread.length} files: ${rules.unread.slice(0, NAMED).join(', ')}`);
  const findings = [...(bugs ?? []), ...(rules?.findings ?? [])];
  const { lines, code } = await countLines(sourcesOf(project));
  // Without the findings of one of them nobody can say how good the code is.
  const judged = bugs && rules ? measuresOf(findings, code) : {};
  return {
    analysers: embeddedTools.name,
    measures: {
      ...{ ...judged, lines, duplicatedLines: duplicates },
      ...{ coverage: sources.coverage?.counts, skippedTests: project.tests.skipped },
    },
    findings,
    problems,
  };
};
