/**
 * Keeps a lane's screen calm: bad news is shown once it has lasted a moment. Readers hear a neighbour's plate for a
 * tenth of a second, or drop out for one pass; a screen that flashes amber for that frightens people and helps
 * nobody. Good news (and everything that is no change of mood) is shown at once. Pressing a button meanwhile is
 * judged by the newest view.
 */
import { effect, signal, type ReadonlySignal } from "@preact/signals";

import type { LaneView, Phase } from "../types";

/** Twice the longest such flash seen with simulated cross-reads (100 ms), and below what a person waits for. */
export const CALM_MS = 250;

const BAD_NEWS: ReadonlySet<Phase> = new Set<Phase>(["blocked", "ask", "offline"]);

export interface Calm {
  shown: ReadonlySignal<LaneView | undefined>;
  stop: () => void;
}

export function calmed(newest: ReadonlySignal<LaneView | undefined>): Calm {
  const shown = signal(newest.peek());
  let timer = 0;
  const settle = (): void => {
    window.clearTimeout(timer);
    timer = 0;
    shown.value = newest.peek();
  };
  const stop = effect(() => {
    const next = newest.value;
    const before = shown.peek();
    const turnsBad = next !== undefined && before !== undefined && BAD_NEWS.has(next.phase);
    if (!turnsBad || BAD_NEWS.has(before.phase)) settle();
    else if (timer === 0) timer = window.setTimeout(settle, CALM_MS);
  });
  return {
    shown,
    stop: () => {
      window.clearTimeout(timer);
      stop();
    },
  };
}
