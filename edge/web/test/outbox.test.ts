import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";

import { Outbox, type Delivery } from "../src/lib/outbox";
import { forget, keep, kept } from "../src/lib/store";

interface Body {
  order_id: string;
}
interface Seen {
  path: string;
  key: string | null;
  body: string;
}
type Answer = "lost" | { status: number; code?: string; retryAfter?: string };

let seen: Seen[] = [];
let answers: Answer[] = [];
let atSend: (string | null)[] = [];

/** The box as the outbox sees it: answers in order, the last one for ever. */
globalThis.fetch = (input, init) => {
  seen.push({
    path: input as string,
    key: new Headers(init?.headers).get("Idempotency-Key"),
    body: typeof init?.body === "string" ? init.body : "",
  });
  atSend.push(kept("slot"));
  const answer = answers.length > 1 ? answers.shift() : answers[0];
  if (answer === undefined || answer === "lost") return Promise.reject(new TypeError("network"));
  const { status, code = "ok", retryAfter } = answer;
  const body = JSON.stringify({ code, title: "", detail: "", status });
  return Promise.resolve(new Response(body, { status, headers: retryAfter ? { "Retry-After": retryAfter } : {} }));
};

function settled(outbox: Outbox<Body>): Promise<Delivery<Body>> {
  return new Promise((resolve) => {
    const stop = outbox.delivery.subscribe((now) => {
      if (now.at !== "confirmed" && now.at !== "refused") return;
      queueMicrotask(() => {
        stop();
      });
      resolve(now);
    });
  });
}

function stateOf(outbox: Outbox<Body>): string {
  return outbox.delivery.value.at;
}

beforeEach(() => {
  seen = [];
  answers = [];
  atSend = [];
  forget("slot");
});

void describe("outbox", () => {
  void it("keeps the command on disk before it is sent and forgets it after the answer", async () => {
    const outbox = new Outbox<Body>("slot");
    answers = [{ status: 200 }];
    const done = settled(outbox);
    outbox.send("/pay", { order_id: "o1" });
    assert.equal((await done).at, "confirmed");
    assert.ok(atSend[0]?.includes(seen[0]?.key ?? "?"));
    assert.equal(kept("slot"), null);
  });

  void it("repeats the very same request while nobody decides", async () => {
    const outbox = new Outbox<Body>("slot");
    const busy = { status: 503, code: "storage", retryAfter: "0.01" };
    answers = ["lost", busy, { status: 401, code: "x" }, { status: 200 }];
    const done = settled(outbox);
    outbox.delivery.subscribe((now) => {
      if (now.at === "sent" && now.trouble) setTimeout(() => { outbox.hurry(); }, 1);
    });
    outbox.send("/pay", { order_id: "o1" });
    assert.equal((await done).at, "confirmed");
    assert.equal(seen.length, 4);
    assert.equal(new Set(seen.map((one) => JSON.stringify(one))).size, 1);
  });

  void it("takes a refusal as final and uses a new id next time", async () => {
    const outbox = new Outbox<Body>("slot");
    answers = [{ status: 422, code: "purse_short" }];
    const done = settled(outbox);
    outbox.send("/pay", { order_id: "o1" });
    const refused = await done;
    assert.equal(refused.at === "refused" && refused.problem.code, "purse_short");
    assert.equal(kept("slot"), null);
    outbox.dismiss();
    answers = [{ status: 200 }];
    const again = settled(outbox);
    outbox.send("/pay", { order_id: "o2" });
    await again;
    assert.notEqual(seen[0]?.key, seen[1]?.key);
  });

  void it("sends nothing while something is on its way", async () => {
    const outbox = new Outbox<Body>("slot");
    answers = [{ status: 200 }];
    const done = settled(outbox);
    outbox.send("/pay", { order_id: "o1" });
    outbox.send("/pay", { order_id: "o2" });
    await done;
    assert.deepEqual(seen.map((one) => one.body), ['{"order_id":"o1"}']);
  });

  void it("takes up what a closed page left, under its id", async () => {
    const left = { key: "k1", path: "/pay", body: { order_id: "o1" }, lookUp: null };
    keep("slot", JSON.stringify(left));
    const outbox = new Outbox<Body>("slot");
    answers = [{ status: 200 }];
    const done = settled(outbox);
    outbox.resume();
    await done;
    assert.deepEqual(seen, [{ path: "/api/v1/pay", key: "k1", body: '{"order_id":"o1"}' }]);
  });

  void it("ignores what is no command on the disk", () => {
    for (const text of ["", "null", "[]", "{", '{"key":1}', '"x"']) {
      keep("slot", text);
      const outbox = new Outbox<Body>("slot");
      outbox.resume();
      assert.equal(outbox.delivery.value.at, "idle", text);
    }
    assert.equal(seen.length, 0);
  });

  void it("counts what the box shows as done, and a late answer changes nothing", async () => {
    const outbox = new Outbox<Body>("slot");
    answers = ["lost"];
    outbox.send("/pay", { order_id: "o1" });
    outbox.sawDone("another");
    assert.equal(stateOf(outbox), "sent");
    outbox.sawDone((JSON.parse(kept("slot") ?? "{}") as { key: string }).key);
    assert.equal(stateOf(outbox), "confirmed");
    await new Promise((done) => setTimeout(done, 5));
    assert.equal(stateOf(outbox), "confirmed");
    assert.equal(kept("slot"), null);
  });

  void it("releases only what the box says it does not know", async () => {
    for (const [lookUp, at] of [
      [{ status: 404, code: "unknown_order" }, "refused"],
      [{ status: 200 }, "confirmed"],
    ] as const) {
      const outbox = new Outbox<Body>("slot");
      answers = [{ status: 503, code: "busy" }, { status: 503, code: "busy" }, lookUp];
      const done = settled(outbox);
      outbox.send("/pay", { order_id: "o1" }, "/orders/o1");
      await new Promise((tick) => setTimeout(tick, 5));
      outbox.release();
      assert.equal((await done).at, at);
      assert.equal(seen.at(-1)?.path, "/api/v1/orders/o1");
    }
  });

  void it("never calls undone what was answered to another login", async () => {
    const before = { status: 409, code: "id_reused" };
    for (const [lookUp, told, at] of [
      [null, [before], "id_reused"],
      ["/orders/o1", [before, { status: 200 }], "confirmed"],
      ["/orders/o1", [before, { status: 404, code: "unknown_order" }], "not_booked"],
      ["/orders/o1", [before, "lost", before, { status: 200 }], "confirmed"],
    ] as const) {
      keep("slot", JSON.stringify({ key: "k1", path: "/top-ups", body: { order_id: "o1" }, lookUp }));
      const outbox = new Outbox<Body>("slot");
      answers = [...told];
      const done = settled(outbox);
      outbox.resume();
      const end = await done;
      assert.equal(end.at === "refused" ? end.problem.code : end.at, at);
    }
  });

  void it("keeps waiting when the look-up gets no answer either", async () => {
    const outbox = new Outbox<Body>("slot");
    answers = [{ status: 503, code: "busy" }, { status: 503, code: "busy" }, "lost", { status: 200 }];
    const done = settled(outbox);
    outbox.send("/pay", { order_id: "o1" }, "/orders/o1");
    await new Promise((tick) => setTimeout(tick, 5));
    outbox.release();
    await new Promise((tick) => setTimeout(tick, 5));
    assert.equal(outbox.delivery.value.at, "sent");
    assert.notEqual(kept("slot"), null);
    outbox.hurry();
    assert.equal((await done).at, "confirmed");
  });
});
