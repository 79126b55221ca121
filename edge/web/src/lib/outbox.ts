/**
 * Money on its way. The hard part is the lost answer: the payment may have been taken although nobody said so. So the
 * command's id (and the order's, made by the caller) is written to disk before the first send, and the very same
 * request is repeated, over lost answers and reloads, until the box answers; the box gives the same answer each time.
 * A user would notice a mistake as being charged twice, or as a paid meal that the screen asks to pay again.
 */
import { signal } from "@preact/signals";

import { ApiError, call, type Problem } from "./http";
import { newId } from "./ids";
import { forget, keep, kept } from "./store";

/** A command as it is kept and sent. `lookUp` is where staff can see whether it was carried out after all. */
export interface Pending<B> {
  key: string;
  path: string;
  body: B;
  lookUp: string | null;
}

/**
 * idle · sent: on its way, `tries` so far, `trouble` is the last problem without a verdict ("" = nobody answered yet) ·
 * confirmed: the box has it on disk · refused: the box said no, nothing was moved (but for `id_reused`: what became of
 * it was told to another login).
 */
export type Delivery<B> =
  | { at: "idle" }
  | { at: "sent"; pending: Pending<B>; tries: number; trouble: string }
  | { at: "confirmed"; pending: Pending<B>; answer: unknown }
  | { at: "refused"; pending: Pending<B>; problem: Problem };

const BACKOFF_MS = [400, 800, 1600, 3000, 5000] as const;
const MAX_WAIT_MS = 10_000;
const TIMEOUT_MS = 8_000;
/** Answers that decide nothing about the command: log in again, try again, the box has trouble. */
const UNDECIDED = new Set([401, 403, 408, 429]);

export class Outbox<B extends object> {
  readonly delivery = signal<Delivery<B>>({ at: "idle" });
  private running = false;
  private releasing = false;
  private wake: () => void = () => undefined;

  /** `slot` names the place on disk; one command at a time is on its way from it. */
  constructor(private readonly slot: string) {}

  /** Takes up what was on its way when the page was closed. */
  resume(): void {
    const pending = parse<B>(kept(this.slot));
    if (pending && !this.running) void this.deliver(pending);
  }

  /** Sends a command under a new id. Does nothing while another one is on its way. */
  send(path: string, body: B, lookUp: string | null = null): void {
    if (this.running) return;
    const pending = { key: newId(), path, body, lookUp };
    keep(this.slot, JSON.stringify(pending));
    void this.deliver(pending);
  }

  /** Tries now instead of waiting: the connection is back, or somebody logged in. */
  hurry(): void {
    this.wake();
  }

  /**
   * For staff, when no verdict comes: after one more try, asks for the thing itself. Found counts as confirmed,
   * unknown as not carried out; no answer changes nothing.
   */
  release(): void {
    this.releasing = true;
    this.wake();
  }

  /** Puts away an answer that was shown. */
  dismiss(): void {
    if (!this.running) this.delivery.value = { at: "idle" };
  }

  /** The box shows by other ways that this command was carried out: that is an answer too. */
  sawDone(key: string): void {
    const now = this.delivery.peek();
    if (now.at === "sent" && now.pending.key === key) {
      this.settle({ at: "confirmed", pending: now.pending, answer: null });
    }
  }

  private settle(outcome: Delivery<B>): void {
    forget(this.slot);
    this.running = false;
    this.delivery.value = outcome;
    this.wake();
  }

  private async deliver(pending: Pending<B>): Promise<void> {
    this.running = true;
    this.releasing = false;
    let trouble = "";
    for (let tries = 1; ; tries += 1) {
      this.delivery.value = { at: "sent", pending, tries, trouble };
      const verdict = await attempt(pending);
      if (!this.isOpen(pending)) return;
      if (verdict.decided) {
        this.settle(verdict.outcome);
        return;
      }
      const found = this.wantsRelease() ? await lookUp(pending) : null;
      if (!this.isOpen(pending)) return;
      if (found) {
        this.settle(found);
        return;
      }
      this.releasing = false;
      trouble = verdict.trouble;
      this.delivery.value = { at: "sent", pending, tries, trouble };
      await this.pause(verdict.waitMs ?? BACKOFF_MS[Math.min(tries, BACKOFF_MS.length) - 1] ?? MAX_WAIT_MS);
    }
  }

  private wantsRelease(): boolean {
    return this.releasing;
  }

  private isOpen(pending: Pending<B>): boolean {
    const now = this.delivery.peek();
    return now.at === "sent" && now.pending === pending;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, MAX_WAIT_MS));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

type Verdict<B> = { decided: true; outcome: Delivery<B> } | { decided: false; trouble: string; waitMs: number | null };

async function attempt<B>(pending: Pending<B>): Promise<Verdict<B>> {
  const { path, body, key } = pending;
  try {
    const answer = await call<unknown>(path, { method: "POST", body, idempotencyKey: key, timeoutMs: TIMEOUT_MS });
    return { decided: true, outcome: { at: "confirmed", pending, answer } };
  } catch (error) {
    if (!(error instanceof ApiError)) return { decided: false, trouble: "no_answer", waitMs: null };
    const { problem, retryAfterMs } = error;
    if (problem.code === "id_reused") return answeredBefore(pending, problem);
    if (problem.status >= 500 || UNDECIDED.has(problem.status)) {
      return { decided: false, trouble: problem.code, waitMs: retryAfterMs };
    }
    return { decided: true, outcome: { at: "refused", pending, problem } };
  }
}

/**
 * This very id was answered before, but to another login: the answer was lost, and somebody else has logged in since.
 * "Refused" would be a lie that gets the same money booked twice.
 */
async function answeredBefore<B>(pending: Pending<B>, problem: Problem): Promise<Verdict<B>> {
  const found = await lookUp(pending);
  if (found) return { decided: true, outcome: found };
  if (pending.lookUp !== null) return { decided: false, trouble: problem.code, waitMs: null };
  return { decided: true, outcome: { at: "refused", pending, problem } };
}

/** Whether it was carried out after all; null when nobody can tell. */
async function lookUp<B>(pending: Pending<B>): Promise<Delivery<B> | null> {
  if (pending.lookUp === null) return null;
  try {
    const answer = await call<unknown>(pending.lookUp);
    return { at: "confirmed", pending, answer };
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.code !== "unknown_order") return null;
    return { at: "refused", pending, problem: { ...error.problem, code: "not_booked" } };
  }
}

function parse<B>(text: string | null): Pending<B> | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<Pending<B>>;
    const whole = typeof value.key === "string" && typeof value.path === "string" && typeof value.body === "object";
    return whole ? (value as Pending<B>) : null;
  } catch {
    return null;
  }
}
