/** One thing that was looked at. */
export interface Finding {
  readonly area:
    'Temporal' | 'Workers' | 'Storage' | 'Tools' | 'Environments' | 'Code scanning' | 'Credentials';
  readonly what: string;
  /** `note`: not wrong, or not to be told from this machine. */
  readonly state: 'good' | 'bad' | 'note';
  /** What was found. */
  readonly found: string;
  /** What to do about it; absent when it is good. */
  readonly remedy?: string;
}
