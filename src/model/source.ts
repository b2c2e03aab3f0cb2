import type { Repository } from './schema/definition.ts';

/** What is built: a branch, or a tag. */
export type Source = { readonly branch: string } | { readonly tag: string };

const TAGS = 'refs/tags/';

/** The source as one text: the branch, or `refs/tags/<tag>`, Cloud Manager's form. */
export const sourceText = ({ branch, tag }: Pick<Repository, 'branch' | 'tag'>): string =>
  branch ?? `${TAGS}${tag ?? ''}`;

/** `branch main`, `tag 1.0`: for people. */
export const sourceInWords = ({ branch, tag }: Pick<Repository, 'branch' | 'tag'>): string =>
  branch === undefined ? `tag ${tag ?? ''}` : `branch ${branch}`;
