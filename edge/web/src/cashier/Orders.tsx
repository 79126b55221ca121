/** The orders of today, newest first, with one search field. */
import { Search } from "lucide";

import { clockTime, money } from "../lib/format";
import { known, t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { OrderSummary } from "../types";
import type { Book } from "./book";

/** More rows than this are not read but searched. */
const SHOWN = 200;

export function Orders({ book }: { book: Book }) {
  const found = book.found.value;
  return (
    <section class="panel orders">
      <header>
        <h2>{t("orders.title", { n: book.orders.value.length })}</h2>
        <label class="orders-search">
          <Icon of={Search} />
          <span class="hidden">{t("orders.search")}</span>
          <input
            type="search"
            value={book.wanted.value}
            placeholder={t("orders.search.short")}
            onInput={(event) => {
              book.wanted.value = event.currentTarget.value;
            }}
          />
        </label>
      </header>
      {book.oops.value && (
        <p class="orders-oops" role="alert">
          <strong>{book.oops.value.title}</strong> {book.oops.value.todo}
        </p>
      )}
      <ul class="orders-list">
        {found.slice(0, SHOWN).map((order) => (
          <OrderRow key={order.order_id} order={order} book={book} />
        ))}
      </ul>
      {found.length === 0 && <p class="orders-none">{t(book.wanted.value ? "orders.none_found" : "orders.none")}</p>}
      {found.length > SHOWN && <p class="orders-none">{t("orders.more", { n: found.length - SHOWN })}</p>}
    </section>
  );
}

function OrderRow({ order, book }: { order: OrderSummary; book: Book }) {
  return (
    <li>
      <button
        type="button"
        aria-pressed={book.chosen.value?.order_id === order.order_id}
        onClick={() => void book.open(order.order_id)}
      >
        <span>{clockTime(order.at_ns / 1e6)}</span>
        <span>{t("lane.title", { lane: order.lane })}</span>
        <span class="orders-id">{order.order_id.slice(-8)}</span>
        <span class="orders-status">{statusWord(order.status)}</span>
        <strong>{money(order.payable_fen)}</strong>
      </button>
    </li>
  );
}

export function statusWord(status: string): string {
  const key = known(`status.${status}`);
  return key ? t(key) : status;
}
