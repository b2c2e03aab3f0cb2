import { LineCounter, parseDocument, type Document } from 'yaml';
import { fileSchema, type Program } from '../model/schema/definition.ts';
import { problemLine, problemsOf, type DefinitionProblem } from './definition-problems.ts';
import { FairwayError } from './fairway-error.ts';

/** A definition is text for people; more than this is a mistake, or an attack. */
const LARGEST = 1024 * 1024;
/** How many nodes aliases may stand for. */
const MOST_ALIASES = 100;

/**
 * The programs of a `fairway.yaml` (or the same as JSON), with their defaults filled in.
 * @param file its name, for people
 * @throws FairwayError `refused` with everything that is wrong with it (`problems`), each with line and column
 */
export function parseDefinitionFile(text: string, file: string): Program[] {
  if (Buffer.byteLength(text) > LARGEST)
    throw refusal(file, [{ path: '', problem: `it is larger than ${LARGEST / 1024} KiB` }]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0)
    throw refusal(
      file,
      document.errors.map(({ message, pos }) => ({ path: '', problem: message, ...place(lines, pos[0]) })),
    );
  const value = plain(document, file);
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data.programs;
  throw refusal(
    file,
    problemsOf(parsed.error, value).map(({ at, ...problem }) => ({
      ...problem,
      ...place(lines, startOf(document, at)),
    })),
  );
}

function refusal(file: string, problems: readonly DefinitionProblem[]): FairwayError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new FairwayError(
    'refused',
    [
      `${file} has ${count}; nothing was changed`,
      ...problems.map((problem) => `  ${problemLine(problem)}`),
    ].join('\n'),
    undefined,
    problems,
  );
}

function plain(document: Document, file: string): unknown {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch {
    throw refusal(file, [
      {
        path: '',
        problem: `its aliases stand for too much, or for nothing: write it out, or use ${MOST_ALIASES} at most`,
      },
    ]);
  }
  if (isCyclic(value))
    throw refusal(file, [{ path: '', problem: 'an alias stands for something that it is a part of' }]);
  return value;
}

function isCyclic(value: unknown, above: readonly unknown[] = []): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return above.includes(value) || Object.values(value).some((part) => isCyclic(part, [...above, value]));
}

/** Where the thing at a path begins; of one that is missing, what it is missing from. */
function startOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    const range = (node as { range?: readonly number[] } | undefined)?.range;
    if (range) return range[0];
  }
  return undefined;
}

function place(lines: LineCounter, offset: number | undefined): { line?: number; column?: number } {
  if (offset === undefined) return {};
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
