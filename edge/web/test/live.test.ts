import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { Live } from "../src/lib/live";

type Listener = (event: { data: string; lastEventId: string }) => void;

/** The box's end of each stream that the page opened, oldest first. */
let streams: Stream[] = [];

class Stream {
  private readonly listeners = new Map<string, Listener>();

  constructor(readonly address: string) {
    streams.push(this);
  }

  addEventListener(kind: string, listener: Listener): void {
    this.listeners.set(kind, listener);
  }

  close(): void {
    // Nothing is sent any more.
  }

  tell(kind: string, data: unknown, lastEventId = ""): void {
    this.listeners.get(kind)?.({ data: JSON.stringify(data), lastEventId });
  }

  view(key: string, boot: string, version = 1): void {
    this.tell("view", { key, version, view: { of: key } }, `${boot}:${key}:${String(version)}`);
  }

  pulses(count: number, alive = true): void {
    for (let n = 0; n < count; n += 1) this.tell("pulse", { daemons: { garage: { alive, age_ms: 0 } } });
  }
}

Object.assign(globalThis, { EventSource: Stream, window: globalThis });

void describe("a view that there is no more", () => {
  let live: Live;

  beforeEach(() => {
    streams = [];
    live = new Live(["zone/"], "garage");
    for (const zone of ["B1", "B2"]) streams[0]?.view(`zone/${zone}`, "boot1", 7);
    streams[0]?.pulses(1);
  });

  afterEach(() => {
    live.close();
  });

  void it("leaves the page when the box takes it back, and comes again whatever its number", () => {
    streams[0]?.tell("gone", { key: "zone/B1" });
    assert.deepEqual(live.keysSeen.value, ["zone/B2"]);
    assert.equal(live.view("zone/B1").value, undefined);
    assert.equal(live.heldS("zone/B1"), 0);
    streams[0]?.view("zone/B1", "boot1", 1);
    assert.deepEqual(live.keysSeen.value, ["zone/B1", "zone/B2"]);
  });

  void it("leaves the page when another stream of a living daemon does not bring it", async () => {
    await reopen();
    streams[1]?.view("zone/B2", "boot2");
    streams[1]?.pulses(2);
    assert.deepEqual(live.keysSeen.value, ["zone/B1", "zone/B2"], "all that there is may still be on its way");
    streams[1]?.pulses(1);
    assert.deepEqual(live.keysSeen.value, ["zone/B2"]);
  });

  void it("stays as something old while the daemon is away", async () => {
    await reopen();
    streams[1]?.pulses(5, false);
    assert.deepEqual(live.keysSeen.value, ["zone/B1", "zone/B2"]);
    assert.equal(live.state.value, "daemon");
  });

  void it("stays when the same view comes again by the next stream", async () => {
    await reopen();
    for (const zone of ["B1", "B2"]) streams[1]?.view(`zone/${zone}`, "boot1", 7);
    streams[1]?.pulses(4);
    assert.deepEqual(live.keysSeen.value, ["zone/B1", "zone/B2"]);
  });

  /** The connection broke, and the page's own timer opens another one. */
  async function reopen(): Promise<void> {
    streams[0]?.tell("error", null);
    while (streams.length < 2) await new Promise((next) => setTimeout(next, 20));
  }
});
