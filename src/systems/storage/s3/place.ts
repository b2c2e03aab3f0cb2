import { Failure } from '../../failure.ts';
import { namesOf } from '../key.ts';

/** A bucket, or a part of one, in S3 or in a server that speaks its protocol. */
export interface S3Place {
  readonly bucket: string;
  /** What all names of objects begin with: empty, or with a slash at its end. */
  readonly prefix: string;
  /** As the AWS provider chain finds them when absent. */
  readonly region?: string;
  readonly endpoint?: string;
  /** Whether the bucket is in the path of addresses, and not in the name of the host. */
  readonly pathStyle: boolean;
  /** How the server encrypts what it keeps; as the bucket has it when absent. */
  readonly encryption?: 'AES256' | 'aws:kms';
  readonly kmsKey?: string;
}

const SCHEME = 's3://';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const options = ['region', 'endpoint', 'pathStyle', 'encryption', 'kmsKey'];

export const isS3 = (place: string): boolean => place.startsWith(SCHEME);

/**
 * `s3://BUCKET/PREFIX?region=...&endpoint=...&pathStyle=true&encryption=AES256|aws:kms&kmsKey=...`; everything behind the
 * bucket may be left out.
 * @throws Failure `InvalidInput` with what is wrong
 */
export function s3Place(text: string): S3Place {
  const wrong = (what: string, cause?: unknown) =>
    new Failure(
      'InvalidInput',
      `the storage ${shown(text)} ${what}; its form is s3://BUCKET/PREFIX?region=...&endpoint=...&pathStyle=true&encryption=AES256`,
      { cause },
    );
  const [, bucket = '', path = '', query = ''] = /^s3:\/\/([^/?]*)\/?([^?]*)(?:\?(.*))?$/s.exec(text) ?? [];
  if (bucket.includes('@')) throw wrong('holds credentials: they come from the AWS provider chain');
  if (!BUCKET.test(bucket)) throw wrong('does not name a bucket');
  const names = path.replace(/\/$/, '');
  try {
    if (names) namesOf(names);
  } catch (cause) {
    throw wrong('has a prefix that no key may begin with', cause);
  }
  const given = new URLSearchParams(query);
  const unknown = [...given.keys()].find((name) => !options.includes(name));
  if (unknown !== undefined) throw wrong(`has the unknown option ${unknown.slice(0, 40)}`);
  const option = (name: string) => given.get(name) ?? undefined;
  const [endpoint, pathStyle, encryption] = [option('endpoint'), option('pathStyle'), option('encryption')];
  if (endpoint !== undefined && !(/^https?:\/\/[^@\s]+$/.test(endpoint) && URL.canParse(endpoint)))
    throw wrong('has an endpoint that is no http or https URL without credentials');
  if (pathStyle !== undefined && !['true', 'false'].includes(pathStyle))
    throw wrong('has a pathStyle that is neither true nor false');
  if (encryption !== undefined && encryption !== 'AES256' && encryption !== 'aws:kms')
    throw wrong('has an encryption that is neither AES256 nor aws:kms');
  const kmsKey = option('kmsKey');
  if (kmsKey !== undefined && encryption !== 'aws:kms')
    throw wrong('has a kmsKey without encryption=aws:kms');
  return {
    ...{ bucket, prefix: names ? `${names}/` : '', region: option('region'), endpoint },
    ...{ pathStyle: pathStyle === 'true', encryption, kmsKey },
  };
}

/** For messages: without what might be credentials. */
const shown = (text: string): string => text.slice(0, 200).replace(/\/\/[^/?]*@/, '//***@');
