/**
 * The page's one live stream. The hard part is to tell the truth when nothing arrives: a dead socket may stay "open"
 * for minutes, so the page's own timer decides. A user would notice a mistake as yesterday's price that looks like
 * today's.
 */
import { signal, type ReadonlySignal, type Signal } from "@preact/signals";

import { checkLogin } from "./session";

/** No pulse for this long: the connection counts as lost (a pulse comes each second). */
export const LOST_AFTER_MS = 2500;
/** A stream that is still silent after this long is closed and opened anew. */
const REOPEN_AFTER_MS = 5000;
const TICK_MS = 200;
/** Pulses of a living daemon on a new stream after which a view that the stream has not brought is gone. */
const COMPLETE_AFTER_PULSES = 3;
const RETRY_MS = [300, 700, 1500, 2500] as const;

/** connecting: nothing yet · live · lost: the API is silent · daemon: the API lives, its daemon does not. */
export type LinkState = "connecting" | "live" | "lost" | "daemon";

interface Entry {
  value: Signal<unknown>;
  /** When it came, on the page's own clock. */
  atMs: number;
  boot: string;
  version: number;
  /** Number of the stream by which it last came. */
  stream: number;
}

interface ViewEvent {
  key: string;
  version: number;
  view: unknown;
}

interface GoneEvent {
  key: string;
}

interface PulseEvent {
  daemons: Record<string, { alive: boolean; age_ms: number }>;
}

export class Live {
  readonly state = signal<LinkState>("connecting");
  /** Whole seconds since the state was last known to be current; 0 while live. */
  readonly ageS = signal(0);
  /** Counts successful openings; a page re-reads what it got by other ways when it changes. */
  readonly opened = signal(0);

  /** The keys of all views that came, sorted. */
  readonly keysSeen = signal<readonly string[]>([]);

  private readonly entries = new Map<string, Entry>();
  private source: EventSource | null = null;
  private stream = 0;
  private pulsesAlive = 0;
  private retry = 0;
  private reopenAt = 0;
  private lastPulse: number;
  private lastGood: number;
  private daemonAlive = true;
  private heard = false;
  private readonly timer: number;

  /** `daemon` names the program whose life makes the views current. */
  constructor(
    private readonly keys: readonly string[],
    readonly daemon: "canteen" | "garage" | "gym" = "canteen",
  ) {
    this.lastPulse = this.lastGood = performance.now();
    this.open();
    this.timer = window.setInterval(() => {
      this.tick();
    }, TICK_MS);
  }

  /** The view of `key`, undefined until it came. */
  view(key: string): ReadonlySignal<unknown> {
    return this.entry(key).value;
  }

  /** Seconds since the view of `key` came; 0 when it has not. */
  heldS(key: string): number {
    const entry = this.entries.get(key);
    return entry === undefined || entry.version < 0 ? 0 : Math.max(0, (performance.now() - entry.atMs) / 1000);
  }

  close(): void {
    window.clearInterval(this.timer);
    this.source?.close();
  }

  private entry(key: string): Entry {
    let entry = this.entries.get(key);
    if (!entry) {
      entry = { value: signal<unknown>(undefined), atMs: 0, boot: "", version: -1, stream: 0 };
      this.entries.set(key, entry);
    }
    return entry;
  }

  private open(): void {
    this.source?.close();
    this.reopenAt = 0;
    this.stream += 1;
    this.pulsesAlive = 0;
    const source = new EventSource(`/api/v1/live?keys=${this.keys.map(encodeURIComponent).join(",")}`);
    this.source = source;
    source.addEventListener("open", () => {
      this.opened.value += 1;
    });
    source.addEventListener("view", (event) => {
      this.onView(event as MessageEvent<string>);
    });
    source.addEventListener("gone", (event) => {
      this.forget(JSON.parse((event as MessageEvent<string>).data) as GoneEvent);
    });
    source.addEventListener("pulse", (event) => {
      this.onPulse(event as MessageEvent<string>);
    });
    // The browser's own retry waits 3 s and gives up for good on an HTTP error; ours does neither.
    source.addEventListener("error", () => {
      source.close();
      this.reopenAt = performance.now() + (RETRY_MS[Math.min(this.retry, RETRY_MS.length - 1)] ?? 0);
      this.retry += 1;
      // The stream does not say why it was refused: perhaps the login has ended.
      if (this.retry > 1) void checkLogin();
    });
  }

  private onView(event: MessageEvent<string>): void {
    const { key, version, view } = JSON.parse(event.data) as ViewEvent;
    const boot = event.lastEventId.split(":")[0] ?? "";
    const entry = this.entry(key);
    entry.stream = this.stream;
    if (boot === entry.boot && version < entry.version) return;
    if (entry.version < 0) this.keysSeen.value = [...this.keysSeen.value, key].sort();
    entry.boot = boot;
    entry.version = version;
    entry.atMs = performance.now();
    entry.value.value = view;
  }

  private onPulse(event: MessageEvent<string>): void {
    const { daemons } = JSON.parse(event.data) as PulseEvent;
    this.daemonAlive = daemons[this.daemon]?.alive ?? false;
    this.lastPulse = performance.now();
    if (this.daemonAlive) this.lastGood = this.lastPulse;
    this.heard = true;
    this.retry = 0;
    this.pulsesAlive = this.daemonAlive ? this.pulsesAlive + 1 : 0;
    if (this.pulsesAlive === COMPLETE_AFTER_PULSES) this.forgetOldStreams();
    this.tick();
  }

  /**
   * The box has no such view any more: a zone, lane or machine was renamed or taken away. What stays on the screen
   * beside a living connection is read as true.
   */
  private forget({ key }: GoneEvent): void {
    const entry = this.entry(key);
    entry.boot = "";
    entry.version = -1;
    this.keysSeen.value = this.keysSeen.value.filter((seen) => seen !== key);
    entry.value.value = undefined;
  }

  /** What went while no stream was open: a stream begins with all that there is. */
  private forgetOldStreams(): void {
    for (const [key, entry] of this.entries) {
      if (entry.version >= 0 && entry.stream !== this.stream) this.forget({ key });
    }
  }

  private tick(): void {
    const now = performance.now();
    const silent = now - this.lastPulse;
    if (this.reopenAt > 0 ? now >= this.reopenAt : silent > REOPEN_AFTER_MS) {
      // A stream that opens but never pulses gets its full time before the next try.
      if (this.reopenAt === 0) this.lastPulse = now - LOST_AFTER_MS - 1;
      this.open();
    }
    const next = this.judge(silent);
    this.ageS.value = next === "live" ? 0 : Math.floor((now - this.lastGood) / 1000);
    this.state.value = next;
  }

  private judge(silentMs: number): LinkState {
    if (silentMs > LOST_AFTER_MS) return "lost";
    if (!this.heard) return "connecting";
    return this.daemonAlive ? "live" : "daemon";
  }
}
