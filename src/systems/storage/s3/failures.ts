import { Failure } from '../../failure.ts';

interface Refusal {
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const isAway =
  /^(TimeoutError|NetworkingError|RequestTimeout|SlowDown|InternalError|ServiceUnavailable|ThrottlingException)$/;
const isFull = /StorageFull|InsufficientStorage|QuotaExceeded|NoSpace/i;
const isDenied =
  /AccessDenied|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|RequestTimeTooSkewed/;
const isElsewhere =
  /PermanentRedirect|AuthorizationHeaderMalformed|TemporaryRedirect|IllegalLocationConstraint/;

export const statusOf = (error: unknown): number | undefined => (error as Refusal).$metadata?.httpStatusCode;
export const codeOf = (error: unknown): string => (error as Refusal | undefined)?.name ?? '';

/** What the AWS SDK throws, as the failure of a storage at `where`. */
export function failureOf(error: unknown, where: string): Error {
  if (error instanceof Failure || !(error instanceof Error)) return error as Error;
  const [code, status] = [codeOf(error), statusOf(error)];
  const said = [status, code, error.message].filter(Boolean).join(' ').slice(0, 300);
  const fail = (type: Failure['type'], what: string) =>
    new Failure(type, `the storage ${where} ${what} (${said})`, { cause: error });
  if (code === 'NoSuchBucket') return fail('Missing', 'does not exist: make the bucket, or correct its name');
  if (status === 507 || isFull.test(code)) return fail('Unavailable', 'is full: make room');
  if (code === 'CredentialsProviderError')
    return fail('Missing', 'needs credentials, and the AWS provider chain finds none on this machine');
  if (/Region is missing/.test(error.message))
    return fail('InvalidInput', 'needs a region: ?region=... or AWS_REGION');
  if (isElsewhere.test(code) || status === 301 || status === 307)
    return fail('Missing', 'is in another region or at another endpoint: correct them');
  if (isDenied.test(code) || status === 401 || status === 403)
    return fail(
      'Denied',
      'refuses these credentials: they need to read, write, list and delete objects, and to abort uploads',
    );
  // Without a status nothing understandable came back: a connection broke, or a name could not be resolved.
  if (isAway.test(code) || status === undefined || status === 429 || status >= 500)
    return fail('Unavailable', 'does not answer as it should');
  return fail('Rejected', 'refused a request');
}
