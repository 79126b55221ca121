/**
 * What the desk does with money: one command at a time, repeated under its id until the box answers, over reloads
 * too.
 */
import { newId } from "../lib/ids";
import { Outbox } from "../lib/outbox";

export type MoneyBody =
  | { reason: string }
  | { refund_id: string; line_nos: number[]; reason: string }
  | { fen: number; method: "cash" | "card" | "transfer" };

export class Desk {
  readonly outbox = new Outbox<MoneyBody>("kangle.desk");

  constructor() {
    this.outbox.resume();
  }

  voidOrder(orderId: string, reason: string): void {
    this.outbox.send(`/canteen/orders/${encodeURIComponent(orderId)}/void`, { reason });
  }

  refund(orderId: string, lineNos: number[], reason: string): void {
    const body = { refund_id: newId(), line_nos: lineNos, reason };
    this.outbox.send(`/canteen/orders/${encodeURIComponent(orderId)}/refunds`, body);
  }

  topUp(member: string, fen: number): void {
    this.outbox.send(`/canteen/members/${encodeURIComponent(member)}/top-ups`, { fen, method: "cash" });
  }
}
