/** What a server of a load balancer does for visitors. */
export type ServerStatus =
  /** Takes visitors; its health checks are good without reservation. */
  | 'up'
  /** May take visitors, but its last checks are too few or too mixed to rely on. */
  | 'uncertain'
  /** Its health checks fail: no visitors. */
  | 'down'
  /** No new visitors; those who are bound to it by a cookie still come. */
  | 'drain'
  /** No visitors at all, no health checks. */
  | 'maintenance'
  /** Takes visitors whatever its condition: the load balancer does not check it. */
  | 'unchecked';

export interface ServerState {
  readonly name: string;
  readonly status: ServerStatus;
  /** Requests that it is answering now, or that wait in its queue; 1 where all that is known is that there may be some. */
  readonly sessions: number;
  /** The load balancer's own words: `UP 1/2, last check L7STS 503`. */
  readonly words: string;
}

/** How long things take with a load balancer as it is set up. */
export interface Patience {
  /** Until requests in flight are answered, or not waited for any more. */
  readonly sessionsMs: number;
  /** Until its own health checks find a server up that is well. */
  readonly checksMs: number;
}

export interface Look {
  readonly servers: readonly ServerState[];
  /**
   * The process that answered. Another one than was told something may have forgotten it; the same one forgets nothing: what is
   * otherwise was changed by somebody.
   */
  readonly incarnation: string;
}

/** The group of servers behind one address. Repeating a call is harmless. */
export interface LoadBalancer {
  /** For messages: `backend production`. */
  readonly name: string;
  /** Between two looks at its servers. */
  readonly pollMs: number;
  /** @throws Failure `Unavailable` when it does not answer */
  patience(): Promise<Patience>;
  /** @throws Failure `Unavailable` when the load balancer does not answer. */
  servers(): Promise<readonly ServerState[]>;
  /** The same, with the process that says it. */
  look(): Promise<Look>;
  /** No new visitors. Must not be asked for a server in maintenance: that would let visitors come again. */
  drain(server: string): Promise<void>;
  /** No visitors any more; requests in flight are finished. @returns the process that was told, as `Look` names it */
  maintain(server: string): Promise<string>;
  /** Visitors again, as soon as health checks made from now on are good. A server that is up stays up. @returns as `maintain` */
  ready(server: string): Promise<string>;
}
