/**
 * One act of a person on the garage or the gym: sent under one id, repeated only while nobody answered and only for a
 * few seconds. Unlike a payment it is never taken up again later: an old "silence" or "cut" must not fire into a new
 * situation. When no answer comes the page says that nobody knows, and the place itself shows what became of it.
 */
import { signal } from "@preact/signals";

import { ApiError, call, wordsOf } from "../lib/http";
import { newId } from "../lib/ids";

const TRIES = 3;
const PAUSE_MS = 700;
const TIMEOUT_MS = 3000;
/** A photo is a hundred times as large. */
const PHOTO_TIMEOUT_MS = 15_000;
/** A verdict stays on the page for so long. */
const SHOWN_MS = 8000;

export type ActState =
  | { at: "idle" }
  | { at: "sent" }
  | { at: "done"; answer: unknown }
  | { at: "refused" | "unknown"; title: string; todo: string };

export class Act {
  readonly state = signal<ActState>({ at: "idle" });
  private timer = 0;

  constructor(private readonly part: "garage" | "gym" = "garage") {}

  /** Sends `body` to `path` below its part of the box; gives whether it was confirmed. */
  send(path: string, body: object = {}): Promise<boolean> {
    return this.deliver(path, body, TIMEOUT_MS);
  }

  /** The same with a photo (its type says what it is) instead of words. */
  sendPhoto(path: string, photo: Blob): Promise<boolean> {
    return this.deliver(path, photo, PHOTO_TIMEOUT_MS);
  }

  /** What the box told with its last confirmation; ask right after it. */
  told<T>(): Partial<T> {
    const now = this.state.peek();
    return now.at === "done" ? (now.answer as Partial<T>) : {};
  }

  private async deliver(path: string, body: object, timeoutMs: number): Promise<boolean> {
    if (this.state.peek().at === "sent") return false;
    window.clearTimeout(this.timer);
    this.state.value = { at: "sent" };
    const outcome = await attempt(`/${this.part}${path}`, body, timeoutMs);
    this.state.value = outcome;
    this.timer = window.setTimeout(() => {
      this.state.value = { at: "idle" };
    }, SHOWN_MS);
    return outcome.at === "done";
  }
}

async function attempt(path: string, body: object, timeoutMs: number): Promise<ActState> {
  const idempotencyKey = newId();
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      const answer = await call<unknown>(path, { method: "POST", body, idempotencyKey, timeoutMs });
      return { at: "done", answer };
    } catch (error) {
      const decided = error instanceof ApiError && error.problem.status < 500;
      if (decided || left === 0) return { at: decided ? "refused" : "unknown", ...wordsOf(error) };
    }
    await new Promise((next) => window.setTimeout(next, PAUSE_MS));
  }
}
