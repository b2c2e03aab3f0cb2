import type { CheckOutcome, SecurityKpi } from '../../model/security.ts';
import { askHttp, type Answer, type Question } from '../http-ask.ts';

export type NodeKind = 'author' | 'publish' | 'dispatcher';

/** A node that is asked, as an anonymous visitor unless a check says otherwise. */
export interface Target {
  readonly node: string;
  readonly kind: NodeKind;
  readonly url: string;
  /** A page that visitors see, and the site's name. */
  readonly page: { readonly path: string; readonly host?: string };
  /** Where visitors reach a dispatcher, if not at its own address. */
  readonly visitors?: string;
  /** Why the instance's own health check says nothing, where it does not. */
  readonly noHealthCheck?: string;
  readonly signal?: AbortSignal;
}

export interface Verdict {
  readonly outcome: CheckOutcome;
  /** What was asked and what came: `GET /crx/de/index.jsp answered 200`. */
  readonly evidence: string;
}

export interface SecurityCheck {
  readonly kpi: SecurityKpi;
  readonly concerns: readonly NodeKind[];
  /** @throws Failure `Unavailable` when the node does not answer: the outcome is unknown. */
  readonly check: (target: Target) => Promise<Verdict>;
}

export const passed = (evidence: string): Verdict => ({ outcome: 'passed', evidence });
export const failed = (evidence: string): Verdict => ({ outcome: 'failed', evidence });
export const unknown = (evidence: string): Verdict => ({ outcome: 'unknown', evidence });

export const describe = (path: string, { status }: Pick<Answer, 'status'>, method = 'GET') =>
  `${method} ${path} answered ${status}`;

/** A server that is starting or broken answers 5xx to everything, which says nothing about how it is configured. */
export const isBroken = ({ status }: Pick<Answer, 'status'>): boolean => status >= 500;

/** Asks an AEM instance by its address; a dispatcher answers for the site's host. */
export function ask(target: Target, path: string, question: Question = {}): Promise<Answer> {
  const host = target.kind === 'dispatcher' ? target.page.host : undefined;
  return askHttp(new URL(path, target.url), { host, signal: target.signal, ...question });
}

/** None of these may be handed out. Stops at the first that is. */
export async function noneAnswers(
  target: Target,
  paths: readonly string[],
  isOpen: (answer: Answer) => boolean = ({ status }) => status === 200,
  question: Question = {},
): Promise<Verdict> {
  const evidence: string[] = [];
  let broken = false;
  for (const path of paths) {
    const answer = await ask(target, path, question);
    const seen = describe(path, answer, question.method);
    if (isOpen(answer)) return failed(seen);
    broken ||= isBroken(answer);
    evidence.push(seen);
  }
  return broken ? unknown(evidence.join(', ')) : passed(evidence.join(', '));
}
