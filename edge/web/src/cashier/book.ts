/** The orders of the day as the desk sees them: loaded page by page, read again when the day's numbers change. */
import { computed, signal } from "@preact/signals";

import { call, wordsOf } from "../lib/http";
import { yuan } from "../lib/format";
import { Newest } from "../lib/newest";
import type { Order, OrderList, OrderSummary } from "../types";

const PAGE = 100;
/** A canteen sells a few hundred trays a day; a search beyond this asks for the id itself. */
const MAX_ORDERS = 2000;

export class Book {
  readonly orders = signal<readonly OrderSummary[]>([]);
  readonly wanted = signal("");
  readonly oops = signal<{ title: string; todo: string } | null>(null);
  readonly chosen = signal<Order | null>(null);
  readonly found = computed(() => search(this.orders.value, this.wanted.value));
  private day = "";
  private turn = 0;
  private readonly opening = new Newest();

  /** Reads the orders of `day` anew. A later call overtakes an earlier one. */
  async load(day: string): Promise<void> {
    this.turn += 1;
    const turn = this.turn;
    if (day !== this.day) this.orders.value = [];
    this.day = day;
    try {
      const all: OrderSummary[] = [];
      let cursor: string | null = "";
      while (cursor !== null && all.length < MAX_ORDERS) {
        const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const page: OrderList = await call<OrderList>(`/canteen/orders?day=${day}&limit=${PAGE}${more}`);
        if (turn !== this.turn) return;
        all.push(...page.items);
        cursor = page.next_cursor;
      }
      this.orders.value = all;
      this.oops.value = null;
    } catch (error) {
      this.oops.value = wordsOf(error);
    }
  }

  async open(orderId: string): Promise<void> {
    const wanted = this.opening.ask();
    try {
      const order = await call<Order>(`/canteen/orders/${encodeURIComponent(orderId)}`);
      if (!wanted()) return;
      this.chosen.value = order;
      this.oops.value = null;
    } catch (error) {
      if (wanted()) this.oops.value = wordsOf(error);
    }
  }
}

/** Orders that match all words: end of the id, member, "1" of a lane, or an amount such as 15.30. */
export function search(orders: readonly OrderSummary[], wanted: string): readonly OrderSummary[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return orders.filter((order) => words.every((word) => matches(order, word)));
}

function matches(order: OrderSummary, word: string): boolean {
  return (
    order.order_id.toLowerCase().includes(word) ||
    (order.member ?? "").toLowerCase().includes(word) ||
    order.lane.toLowerCase() === word ||
    yuan(order.payable_fen).includes(word.replace("¥", ""))
  );
}
