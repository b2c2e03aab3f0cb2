import { xmlReports } from '../xml-report.ts';
import { Failure } from '../failure.ts';

/** One test and what came of it. */
export interface TestCase {
  /** Where it belongs, `com.example.PageIT`. */
  readonly className: string;
  readonly name: string;
  readonly seconds: number;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped, in one line. */
  readonly message?: string;
  /** What else is known of a failure: a stack trace. */
  readonly details?: string;
}

export interface TestSuite {
  readonly name: string;
  readonly cases: readonly TestCase[];
}

export interface TestCounts {
  /** Tests that came to a result, good or bad. */
  readonly run: number;
  readonly failed: number;
  readonly skipped: number;
}

const LONGEST_MESSAGE = 500;
const LONGEST_DETAILS = 20_000;

export function countTests(suites: readonly TestSuite[]): TestCounts {
  const cases = suites.flatMap((suite) => suite.cases);
  const count = (outcome: TestCase['outcome']) => cases.filter((test) => test.outcome === outcome).length;
  return { run: cases.length - count('skipped'), failed: count('failed'), skipped: count('skipped') };
}

export const failedTests = (suites: readonly TestSuite[]): readonly TestCase[] =>
  suites.flatMap(({ cases }) => cases.filter(({ outcome }) => outcome === 'failed'));

/** `com.example.PageIT.opens` */
export const testName = ({ className, name }: TestCase): string =>
  [className, name.replace(/\(\)$/, '')].filter(Boolean).join('.');

/** The results as JUnit XML, in the form that Maven's Surefire made common. */
export function junitXml(suites: readonly TestSuite[]): string {
  const body = suites.map((suite) => {
    const { failed, skipped } = countTests([suite]);
    const seconds = suite.cases.reduce((sum, test) => sum + test.seconds, 0);
    const counts = { tests: suite.cases.length, failures: failed, errors: 0, skipped };
    return element(
      'testsuite',
      { name: suite.name, ...counts, time: time(seconds) },
      suite.cases.map(caseXml),
    );
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', {}, body)}`;
}

function caseXml({ className, name, seconds, outcome, message = '', details = '' }: TestCase): string {
  const inner =
    outcome === 'passed'
      ? []
      : outcome === 'skipped'
        ? [element('skipped', { message }, [])]
        : [`<failure message="${escape(message)}">${escape(details)}</failure>\n`];
  return element('testcase', { classname: className, name, time: time(seconds) }, inner);
}

const time = (seconds: number) => seconds.toFixed(3);

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  inner: readonly string[],
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(String(value))}"`);
  const start = `<${name}${written.join('')}`;
  return inner.length === 0 ? `${start}/>\n` : `${start}>\n${inner.join('')}</${name}>\n`;
}

/** Characters that XML 1.0 cannot hold at all become question marks. */
const escape = (text: string) =>
  text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?')
    .replace(/[&<>"\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`);

const readXml = xmlReports(
  ['testsuite', 'testcase', 'failure', 'error', 'skipped'],
  ['*.properties', '*.system-out', '*.system-err'],
);

type Trouble = string | { readonly message?: string; readonly type?: string; readonly '#text'?: string };

/**
 * Reads a report, of one suite or of several. Properties and output in it are left aside: they may hold what nobody is to read.
 * @returns undefined when it is XML of another kind
 * @throws Failure `InvalidArtifact` when it is missing or broken
 */
export async function readJunitXml(file: string, label: string): Promise<readonly TestSuite[] | undefined> {
  const { testsuite, testsuites } = await readXml<{
    testsuite?: readonly (ReadSuite | string)[];
    testsuites?: { testsuite?: readonly (ReadSuite | string)[] } | string;
  }>(file, label);
  const inAll = typeof testsuites === 'object' ? (testsuites.testsuite ?? []) : [];
  const suites = testsuite ?? (testsuites === undefined ? undefined : inAll);
  return suites?.flatMap((suite) => (typeof suite === 'object' ? suitesIn(suite, label) : []));
}

interface ReadSuite {
  readonly name?: string;
  readonly tests?: string;
  readonly testcase?: readonly ReadCase[];
  readonly testsuite?: readonly (ReadSuite | string)[];
}

/** A suite, and those inside it, whose tests it may have counted as its own. */
function suitesIn(
  { name = '', tests, testcase = [], testsuite = [] }: ReadSuite,
  label: string,
): TestSuite[] {
  const inner = testsuite.flatMap((suite) => (typeof suite === 'object' ? suitesIn(suite, label) : []));
  const cases = testcase.map(caseOf);
  const all = cases.length + inner.reduce((sum, suite) => sum + suite.cases.length, 0);
  if (tests !== undefined && ![cases.length, all].includes(Number(tests)))
    throw new Failure(
      'InvalidArtifact',
      `the report ${label} announces ${tests.slice(0, 20)} tests and holds ${all}`,
    );
  return [{ name: name || label, cases }, ...inner];
}

interface ReadCase {
  readonly classname?: string;
  readonly name?: string;
  readonly time?: string;
  readonly failure?: readonly Trouble[];
  readonly error?: readonly Trouble[];
  readonly skipped?: readonly Trouble[];
}

function caseOf({ classname = '', name = '', time = '0', failure, error, skipped }: ReadCase): TestCase {
  const seconds = Number.parseFloat(time.replaceAll(',', '')) || 0;
  const test = { className: classname, name, seconds };
  const trouble = failure?.[0] ?? error?.[0];
  if (trouble !== undefined)
    return { ...test, outcome: 'failed', message: firstLine(trouble), details: detailsOf(trouble) };
  if (skipped !== undefined) return { ...test, outcome: 'skipped', message: firstLine(skipped[0] ?? '') };
  return { ...test, outcome: 'passed' };
}

function firstLine(trouble: Trouble): string {
  const { message, type = '' } = typeof trouble === 'string' ? { message: trouble } : trouble;
  return ((message || detailsOf(trouble) || type).trim().split('\n')[0] ?? '').slice(0, LONGEST_MESSAGE);
}

const detailsOf = (trouble: Trouble): string =>
  (typeof trouble === 'string' ? trouble : (trouble['#text'] ?? '')).slice(0, LONGEST_DETAILS);
