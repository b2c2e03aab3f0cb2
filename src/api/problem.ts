import type { FastifyError, FastifyReply } from 'fastify';
import { problemLine } from '../client/definition-problems.ts';
import { FairwayError } from '../client/fairway-error.ts';

const NAMESPACE = 'http://ns.adobe.com/adobecloud';

export interface FieldProblem {
  readonly field?: string;
  readonly message: string;
  readonly invalidValue?: string;
}

const titles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
} as const;
type Status = keyof typeof titles;

const isKnown = (status: number): status is Status => Object.hasOwn(titles, status);

/** Ends a request with this status; the client shows every message. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: Status;
  readonly errors: readonly FieldProblem[];

  constructor(status: Status, ...errors: readonly (FieldProblem | string)[]) {
    const all = errors.map((error) => (typeof error === 'string' ? { message: error } : error));
    super(all.map(({ message }) => message).join('; '));
    this.status = status;
    this.errors = all;
  }
}

/** What a client is told of anything thrown; what is not meant for it is told as an internal error. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof FairwayError) return ofClient(error);
  const { statusCode, code, message, validation, validationContext } = error as Partial<FastifyError>;
  // An id of a form that no id has is that of nothing.
  if (validation && validationContext === 'params') return new Problem(404, 'there is no such thing');
  if (validation)
    return new Problem(
      400,
      ...validation.map(({ instancePath, message: text = 'is not valid' }) => ({
        field: instancePath.replace(/^\//, '') || validationContext,
        message: `${validationContext} ${instancePath}: ${text}`,
      })),
    );
  if (code?.startsWith('FST_') && statusCode && statusCode < 500 && isKnown(statusCode))
    return new Problem(statusCode, message ?? titles[statusCode]);
  return new Problem(500, 'something went wrong here; the log of the API says what');
}

function ofClient(error: FairwayError): Problem {
  if (error.kind === 'notFound') return new Problem(404, error.message);
  if (error.kind === 'unavailable') return new Problem(503, error.message);
  if (error.kind === 'outcomeUnknown') return new Problem(504, error.message);
  if (error.problems.length > 0)
    return new Problem(
      400,
      ...error.problems.map((problem) => ({ field: problem.path, message: problemLine(problem) })),
    );
  if (error.failureType === 'Conflict') return new Problem(409, error.message);
  return new Problem(400, error.message);
}

/** Answers in the form that Cloud Manager's clients read, `application/problem+json`. */
export function sendProblem(reply: FastifyReply, { status, errors }: Problem): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (status === 503) reply.header('retry-after', '5');
  const type = `${NAMESPACE}/${status === 400 ? 'validation-exception' : 'error'}`;
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type, title: titles[status], status, errors });
}
