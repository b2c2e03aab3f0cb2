/** Who acts, and how we know. */
export interface Actor {
  /** A person's or a system's name, as the client gave it or as a token proved it. */
  readonly subject: string;
  /** How the message came: `cli`, `api`, `web-ui`, `script`, ... */
  readonly via: string;
  /** True only where a credential proved the subject. */
  readonly verified: boolean;
}

export const unknownActor = (via: string): Actor => ({ subject: 'unknown', via, verified: false });
