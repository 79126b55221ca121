/** The page's clock, ticking each second, for clocks and ages on the screen. */
import { signal } from "@preact/signals";

const TICK_MS = 1000;

export const nowMs = signal(Date.now());

window.setInterval(() => {
  nowMs.value = Date.now();
}, TICK_MS);
