/** What the demo page knows of the simulator, and how it asks it to do things. */
import { signal } from "@preact/signals";

import { call, wordsOf } from "../lib/http";
import type { DemoState } from "../types";

const POLL_MS = 2000;

export class Simulator {
  readonly state = signal<DemoState | null>(null);
  readonly oops = signal<{ title: string; todo: string } | null>(null);
  /** What was asked and is not answered yet, "" when nothing. */
  readonly asked = signal("");
  private readonly timer: number;

  constructor() {
    void this.refresh();
    this.timer = window.setInterval(() => {
      if (!document.hidden && this.asked.peek() === "") void this.refresh();
    }, POLL_MS);
  }

  close(): void {
    window.clearInterval(this.timer);
  }

  async refresh(): Promise<void> {
    try {
      this.state.value = await call<DemoState>("/demo/state");
    } catch (error) {
      this.state.value = null;
      this.oops.value = wordsOf(error);
    }
  }

  /** Asks for `what`; the simulator's answer is then read back. */
  async ask(what: string, path: string, body?: unknown, method: "POST" | "DELETE" = "POST"): Promise<void> {
    if (this.asked.peek() !== "") return;
    this.asked.value = what;
    this.oops.value = null;
    try {
      await call(`/demo${path}`, body === undefined ? { method } : { method, body });
      await this.refresh();
    } catch (error) {
      this.oops.value = wordsOf(error);
    } finally {
      this.asked.value = "";
    }
  }
}
