import type { StoredFile } from './artifacts.ts';

/** What a file beside the results of a step holds. */
export type ResultFileKind =
  | 'findings'
  | 'time series'
  | 'picture'
  | 'slow pages'
  | 'failing pages'
  | 'test report'
  | 'image'
  | 'bill of materials'
  | 'Kubernetes configuration'
  | 'other';

export interface ResultFile {
  readonly kind: ResultFileKind;
  readonly file: StoredFile;
}

const kinds: readonly [end: RegExp, kind: ResultFileKind][] = [
  [/-slow-pages\.csv$/, 'slow pages'],
  [/-error-pages\.csv$/, 'failing pages'],
  [/\/(loadTest|assetsTest)\.csv$/, 'time series'],
  [/\/(codeQuality|securityTest)\.(csv|sarif)$/, 'findings'],
  [/\.svg$/, 'picture'],
  [/\.xml$/, 'test report'],
  [/\/images\/[^/]+\.tar$/, 'image'],
  [/\.cdx\.json$/, 'bill of materials'],
  [/\/kubernetes\/.*\.yaml$/, 'Kubernetes configuration'],
];

/** The files that steps write are told by their names. */
export const resultFile = (file: StoredFile): ResultFile => ({
  kind: kinds.find(([end]) => end.test(file.key))?.[1] ?? 'other',
  file,
});
