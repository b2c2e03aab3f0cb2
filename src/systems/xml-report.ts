import { readFile, stat } from 'node:fs/promises';
import { XMLParser, type X2jOptions } from 'fast-xml-parser';
import { Failure, messageOf } from './failure.ts';

/** Each part before the DOCTYPE can be read in one way only: a hostile report must not keep the expression busy. */
const OWN_DTD = /^\ufeff?(?:\s|<\?(?:(?!\?>)[^])*\?>|<!--(?:(?!-->)[^])*-->)*<!DOCTYPE[^>[]*\[/i;
const LARGEST = 64 * 1024 * 1024;
const MOST_ATTRIBUTES = 100;
/** An element with more; no part can be read in two ways. The parser would take many seconds for a million. */
const CROWDED = new RegExp(
  String.raw`<([^\s<>/!?]+)(?:\s+[^\s=<>]+\s*=\s*(?:"[^"<]*"|'[^'<]*')){${MOST_ATTRIBUTES + 1}}`,
);

/**
 * Reads reports that a program left as XML. Attributes become fields.
 * @param lists elements that are arrays even where there is one
 * @param skipped paths of elements whose content is not read, `*.sourcefile`
 */
export function xmlReports(lists: readonly string[], skipped: readonly string[] = []) {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseAttributeValue: false,
    parseTagValue: false,
    htmlEntities: true, // character references; entities of a document's own are refused before
    stopNodes: [...skipped],
    isArray: (name) => lists.includes(name),
  } satisfies X2jOptions);

  /**
   * @param label what messages call the report
   * @throws Failure `InvalidArtifact` when it is missing, too large, has a DTD of its own, has more than 100 attributes
   *   in one element or cannot be parsed
   */
  return async <T>(path: string, label: string): Promise<T> => {
    const refuse = (problem: string, cause?: unknown) =>
      new Failure('InvalidArtifact', `the report ${label} ${problem}`, { cause });
    const found = await stat(path).catch((cause: unknown) => {
      throw refuse('is missing', cause);
    });
    if (found.size > LARGEST) throw refuse('is larger than 64 MiB');
    const text = await readFile(path, 'utf8');
    if (OWN_DTD.test(text)) throw refuse('has a DTD of its own, with entities or without, which is not read');
    const crowded = CROWDED.exec(text)?.[1];
    if (crowded !== undefined)
      throw refuse(`has an element ${crowded.slice(0, 100)} of more than ${MOST_ATTRIBUTES} attributes`);
    let parsed: unknown;
    try {
      parsed = parser.parse(text, true);
    } catch (cause) {
      throw refuse(`cannot be read: ${messageOf(cause).slice(0, 200)}`, cause);
    }
    return parsed as T;
  };
}
