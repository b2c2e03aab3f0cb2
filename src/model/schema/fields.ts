import { z } from 'zod';

/** Fields that several parts of a definition have. */

export const numericId = z
  .string()
  .regex(/^[1-9][0-9]{0,17}$/, 'must be a number without leading zeros, as a string');
export const nodeId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,40}$/, 'must be lower-case letters, digits and dashes, starting with a letter');
export const label = z
  .string()
  .min(1, 'must not be empty')
  .max(100, 'must have 100 characters at most')
  .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters');
export const httpUrl = z.string().refine((text) => {
  // The parser passes over blanks and control characters; whoever reads or uses the text later would not.
  const url = !/[\s\p{Cc}]/u.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  return url && /^https?:$/.test(url.protocol) && !url.username && !url.password;
}, 'must be an http or https URL without credentials');
/** The name of a secret; its value comes from `FAIRWAY_SECRET_<NAME>` or the secrets folder, where it is used. */
export const secretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,60}$/, 'must be upper-case letters, digits and underscores');
export const contentPath = z
  .string()
  .max(1000, 'must have 1000 characters at most')
  .regex(/^\/[^\p{Cc}?#]*$/u, 'must be an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');
