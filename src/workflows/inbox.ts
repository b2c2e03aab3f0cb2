import { defaultPayloadConverter, rawValueTypeInfo, type RawValue } from '@temporalio/common';
import { condition, defineSignal, defineUpdate, setHandler, sleep } from '@temporalio/workflow';
import { parseMessage, type MessageName, type Messages } from '../model/messages.ts';
import { failure } from './failures.ts';

/** What the sender of an update is told. */
export interface Accepted {
  readonly executionId: string;
  readonly accepted: string;
}

type Kind<N extends MessageName> = {
  readonly description: string;
  /** Why the message cannot be taken now; undefined when it can. */
  readonly refuse: (message: Messages[N]) => string | undefined;
  /** Takes it; says in a few words what that means. */
  readonly accept: (message: Messages[N]) => string;
};

/**
 * Handles one message both ways. As an update a bad one is rejected and leaves no trace; as a signal it cannot be
 * answered, so it is journalled by `ignore` and changes nothing. Signals are received raw: one that cannot even be
 * decoded must not stop the execution.
 */
export function handle<N extends MessageName>(
  name: N,
  kind: Kind<N>,
  ignore: (name: N, reason: string) => void,
): void {
  const understand = (value: unknown): { message: Messages[N] } | { problem: string } => {
    const parsed = parseMessage(name, value);
    if ('problem' in parsed) return parsed;
    const problem = kind.refuse(parsed.message);
    return problem === undefined ? parsed : { problem };
  };
  const { description } = kind;

  setHandler(
    rawSignal(name),
    (raw) => {
      const taken = understand(decoded(raw));
      if ('problem' in taken) ignore(name, taken.problem);
      else kind.accept(taken.message);
    },
    { description },
  );

  setHandler(
    defineUpdate<Accepted, [unknown]>(name),
    (value) => {
      const taken = understand(value);
      if ('problem' in taken) throw failure('Refused', taken.problem);
      return { executionId: taken.message.executionId, accepted: kind.accept(taken.message) };
    },
    {
      description,
      validator: (value) => {
        const taken = understand(value);
        if ('problem' in taken) throw failure('Refused', taken.problem);
      },
    },
  );
}

/**
 * A signal whose payload is decoded in its handler (`decoded`): one that cannot be decoded would otherwise fail every
 * workflow task from then on.
 */
export const rawSignal = (name: string) =>
  defineSignal<[RawValue?]>(name, { typeInfo: { inputTypes: [rawValueTypeInfo] } });

export function decoded(raw: RawValue | undefined): unknown {
  try {
    return raw && defaultPayloadConverter.fromPayload(raw.payload);
  } catch {
    return undefined;
  }
}

/** A place where one message at a time is waited for. */
export class Slot<T> {
  private received: T | undefined;

  put(message: T): void {
    this.received = message;
  }

  get isFull(): boolean {
    return this.received !== undefined;
  }

  /** The next message, or undefined when none came in time. `summary` names the timer in the Web UI. */
  async take(timeoutMs: number, summary: string): Promise<T | undefined> {
    await condition(() => this.isFull, Math.max(timeoutMs, 1), { summary });
    return this.empty();
  }

  /** The same, with a timer that others wait for as well. */
  async takeWithin(limit: SharedTimer, timeoutMs: number): Promise<T | undefined> {
    await limit.wait(() => this.isFull, Date.now() + Math.max(timeoutMs, 1));
    return this.empty();
  }

  private empty(): T | undefined {
    const message = this.received;
    this.received = undefined;
    return message;
  }
}

/**
 * One timer for limits that are rarely reached, one after the other: it goes on when what it was set for has come, and
 * is set anew only if it rings while something is still waited for.
 */
export class SharedTimer {
  private readonly summary: string;
  private ringsAt = 0;

  constructor(summary: string) {
    this.summary = summary;
  }

  /** Waits until this has happened, or that time has come. */
  async wait(happened: () => boolean, until: number): Promise<void> {
    while (!happened() && Date.now() < until) {
      if (this.ringsAt <= Date.now() || this.ringsAt > until) this.set(until);
      await condition(() => happened() || Date.now() >= this.ringsAt);
    }
  }

  private set(at: number): void {
    this.ringsAt = at;
    // It only wakes the execution; cancelled with whoever waits.
    sleep(at - Date.now(), { summary: this.summary }).catch(() => undefined);
  }
}
