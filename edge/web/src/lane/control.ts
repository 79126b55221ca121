/**
 * One lane as a page drives it: the view from the live stream, the payment on its way, and what the person is looking
 * at. Nothing here is optimistic: a button says "sent", and only the box's answer or view changes what is shown.
 */
import { batch, computed, effect, signal, type ReadonlySignal } from "@preact/signals";

import { ApiError, call, wordsOf } from "../lib/http";
import { newId } from "../lib/ids";
import type { Live } from "../lib/live";
import { Outbox, type Delivery } from "../lib/outbox";
import { session } from "../lib/session";
import { chime, wrongTray } from "../lib/sound";
import { calmed } from "./calm";
import type { LaneView, PayBody, Phase } from "../types";

/** What the left half shows; "plates" unless the person asked for something else. */
export type Pane = "plates" | "receipt" | "certainty" | "card" | "cash" | "count";
/** The phase of the box, or what this terminal knows on top of it. */
export type Mode = Phase | "waiting" | "paying" | "confirmed" | "refused";
export interface Words {
  title: string;
  todo: string;
}

export class LaneControl {
  /** What the screen shows: the newest view, but for bad news that did not last. */
  readonly view: ReadonlySignal<LaneView | undefined>;
  private readonly newest: ReadonlySignal<LaneView | undefined>;
  readonly outbox: Outbox<PayBody>;
  readonly mode: ReadonlySignal<Mode>;
  readonly stale: ReadonlySignal<boolean>;
  readonly pane = signal<Pane>("plates");
  /** Cash that the person says was handed over, fen. */
  readonly tendered = signal<number | null>(null);
  /** The command that was sent and not answered yet, "" when none. */
  readonly sent = signal("");
  /** What went wrong with the last command that was no payment. */
  readonly oops = signal<Words | null>(null);
  private readonly stops: (() => void)[] = [];

  constructor(
    readonly lane: string,
    readonly live: Live,
  ) {
    this.newest = live.view(`lane/${lane}`) as ReadonlySignal<LaneView | undefined>;
    const calm = calmed(this.newest);
    this.view = calm.shown;
    this.outbox = new Outbox<PayBody>(`kangle.pay.${lane}`);
    this.stale = computed(() => live.state.value !== "live");
    this.mode = computed(() => modeOf(this.view.value, this.outbox.delivery.value));
    const effects = [this.onTray(), this.onPhase(), this.onAnswer, this.onReconnect];
    this.stops.push(calm.stop, ...effects.map((one) => effect(one)));
    this.outbox.resume();
  }

  private get path(): string {
    return `/canteen/lanes/${encodeURIComponent(this.lane)}`;
  }

  close(): void {
    for (const stop of this.stops) stop();
  }

  /** A new tray starts with a clean page. */
  private onTray(): () => void {
    let tray: string | undefined;
    return () => {
      const now = this.view.value?.tray_id;
      if (now === tray || now === undefined) return;
      tray = now;
      batch(() => {
        this.pane.value = "plates";
        this.tendered.value = null;
        this.oops.value = null;
      });
    };
  }

  /** Tones at the moment of a change, never for what was there when the page opened. */
  private onPhase(): () => void {
    let phase: Phase | undefined;
    return () => {
      const view = this.view.value;
      if (!view) return;
      const before = phase;
      phase = view.phase;
      this.seePaid(view);
      if (before === undefined || before === view.phase) return;
      if (view.phase === "paid") {
        this.pane.value = "plates";
        chime();
      }
      if (view.phase === "blocked") wrongTray();
    };
  }

  /** The box shows the very order that is on its way as paid. */
  private seePaid(view: LaneView): void {
    const payment = this.outbox.delivery.peek();
    if (payment.at !== "sent" || view.phase !== "paid") return;
    if (view.paid?.order_id === payment.pending.body.order_id) this.outbox.sawDone(payment.pending.key);
  }

  /** An answer is put away once the box's own view shows it, or shows the next tray. */
  private readonly onAnswer = (): void => {
    const view = this.view.value;
    const payment = this.outbox.delivery.value;
    if (!view || payment.at === "idle" || payment.at === "sent") return;
    const shown = view.paid?.order_id === payment.pending.body.order_id;
    const over = view.tray_id !== payment.pending.body.tray_id;
    if (shown || over) this.outbox.dismiss();
    if (payment.at === "refused") this.pane.value = "plates";
  };

  private readonly onReconnect = (): void => {
    if (this.live.opened.value > 0 && session.value === "ready") this.outbox.hurry();
  };

  pay(method: PayBody["method"]): void {
    const view = this.view.peek();
    if (view?.phase !== "firm" || this.newest.peek()?.phase !== "firm" || this.stale.peek()) return;
    const { tray_id, tray_version, payable_fen } = view;
    const tendered_fen = method === "cash" ? (this.tendered.peek() ?? payable_fen) : 0;
    const order_id = newId();
    const body: PayBody = { order_id, tray_id, tray_version, payable_fen, method, tendered_fen };
    this.outbox.send(`${this.path}/pay`, body, `/canteen/orders/${order_id}`);
  }

  /** A member's card; "" forgets the member. */
  identify(card: string): Promise<boolean> {
    return this.command("identify", { card });
  }

  confirmPlates(plates: number): Promise<boolean> {
    return this.command("confirm-plates", { tray_id: this.view.peek()?.tray_id ?? "", plates });
  }

  /** A plate that cannot be read, by its printed label. Tells whether it was done. */
  keyPlate(label: string): Promise<boolean> {
    return this.command("key-plate", { tray_id: this.view.peek()?.tray_id ?? "", label });
  }

  callStaff(on: boolean): Promise<boolean> {
    return this.command("call-staff", { on });
  }

  private async command(name: string, body: unknown): Promise<boolean> {
    if (this.sent.peek()) return false;
    this.sent.value = name;
    this.oops.value = null;
    try {
      await call(`${this.path}/${name}`, { method: "POST", body, idempotencyKey: newId() });
      if (name !== "call-staff") this.pane.value = "plates";
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.problem.status === 401) session.value = "login";
      this.oops.value = wordsOf(error);
      return false;
    } finally {
      this.sent.value = "";
    }
  }
}

function modeOf(view: LaneView | undefined, payment: Delivery<PayBody>): Mode {
  if (payment.at === "sent") return "paying";
  if (!view) return "waiting";
  if (payment.at === "refused") return "refused";
  if (payment.at === "confirmed" && view.phase !== "paid") return "confirmed";
  return view.phase;
}
