import type { IncomingMessage, ServerResponse } from 'node:http';
import { httpServer, type HttpServer } from './http-server.ts';

/** What is answered instead of what a SonarQube in good order would: a body, or anything at all. */
export type Answer =
  | Readonly<Record<string, unknown>>
  | readonly unknown[]
  | ((request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void);
/** By path below `/api/`. */
export type Answers = Readonly<Record<string, Answer>>;

export const measures = {
  ...{ security_rating: '2.0', reliability_rating: '3.0', sqale_index: '35', development_cost: '2730' },
  ...{ open_issues: '2', coverage: '5.1', lines_to_cover: '55', uncovered_lines: '53' },
  ...{ conditions_to_cover: '4', uncovered_conditions: '3', skipped_tests: '1' },
  ...{ lines: '110', duplicated_lines: '11' },
};

export const measured = (values: Readonly<Record<string, string>>): Answer => ({
  component: {
    key: 'fairway-1-101',
    measures: Object.entries(values).map(([metric, value]) => ({ metric, value })),
  },
});

const component = 'fairway-1-101:src/main/java/com/example/Planted.java';

/** The part of the Web API of SonarQube 9.9 that an analysis uses, with the answers of a real one. */
const inGoodOrder: Answers = {
  'system/status': { id: 'X', version: '9.9.8.100196', status: 'UP' },
  'authentication/validate': { valid: true },
  'ce/task': { task: { id: 'T-1', type: 'REPORT', status: 'SUCCESS', warningCount: 0 } },
  'measures/component': measured(measures),
  'issues/search': {
    ...{ total: 2, p: 1, ps: 500, paging: { pageIndex: 1, pageSize: 500, total: 2 } },
    issues: [
      {
        ...{
          key: 'a',
          rule: 'java:S2259',
          severity: 'MAJOR',
          type: 'BUG',
          component,
          line: 41,
          status: 'OPEN',
        },
        ...{ message: 'A "NullPointerException"\n could be thrown', flows: [], effort: '10min' },
      },
      {
        ...{
          key: 'b',
          rule: 'java:S1',
          severity: 'MINOR',
          type: 'VULNERABILITY',
          component: 'fairway-1-101',
        },
        ...{ message: 'Of the whole project' },
      },
    ],
  },
  'hotspots/search': {
    paging: { pageIndex: 1, pageSize: 500, total: 1 },
    hotspots: [
      {
        ...{ key: 'c', component, vulnerabilityProbability: 'LOW', status: 'TO_REVIEW', line: 52 },
        ...{ message: 'Look at this', ruleKey: 'java:S4507' },
      },
    ],
  },
};

export interface SonarqubeApi extends HttpServer {
  /** Paths and queries that were asked for, in order. */
  readonly asked: readonly string[];
}

/** A server that speaks that part of the API to whoever has `token`. */
export async function sonarqubeApi(token: string, answers: Answers = {}): Promise<SonarqubeApi> {
  const asked: string[] = [];
  const authorization = `Basic ${Buffer.from(`${token}:`).toString('base64')}`;
  const server = await httpServer((request, response) => {
    const { pathname, search, searchParams } = new URL(request.url ?? '', 'http://sonarqube');
    const path = pathname.replace('/api/', '');
    asked.push(`${path}${search}`);
    const answer = answers[path] ?? inGoodOrder[path];
    if (!answer || request.headers.authorization !== authorization) {
      response.writeHead(answer ? 401 : 404).end();
      return;
    }
    if (typeof answer === 'function') answer(request, response, searchParams);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  return { ...server, asked };
}
