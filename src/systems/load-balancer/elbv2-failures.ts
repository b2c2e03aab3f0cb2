import { Failure, messageOf } from '../failure.ts';

const isDenied =
  /AccessDenied|UnauthorizedOperation|InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken|UnrecognizedClient|AuthFailure|IncompleteSignature|MissingAuthenticationToken/;
const isBusy = /Throttling|RequestLimitExceeded|TooManyRequests|ServiceUnavailable|InternalFailure/;

/** What the AWS SDK throws, as the failure of the load balancer `where`. */
export function failureOf(cause: unknown, where: string): Failure {
  const { name = '', $metadata } = cause as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const said = [status, name, messageOf(cause)].filter(Boolean).join(' ').slice(0, 300);
  const fail = (type: Failure['type'], what: string) =>
    new Failure(type, `${where} ${what} (${said})`, { cause });
  if (name === 'CredentialsProviderError')
    return fail('Missing', 'needs credentials, and the AWS provider chain finds none where this worker runs');
  if (isDenied.test(name))
    return fail(
      'Denied',
      'refuses these credentials: they need to describe target groups, their attributes and health, and to register and ' +
        'deregister targets',
    );
  // Without a status nothing understandable came back: a connection broke, or a name could not be resolved.
  if (isBusy.test(name) || status === undefined || status === 429 || status >= 500)
    return fail('Unavailable', 'does not answer as it should');
  return fail('Rejected', 'refused a request');
}
