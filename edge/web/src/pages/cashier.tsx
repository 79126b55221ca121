/** /cashier: the desk. Lanes as columns with help calls on top, today's orders, giving back, topping up. */
import { effect, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import "../styles/cashier.css";
import { Book } from "../cashier/book";
import { Desk } from "../cashier/desk";
import { DeskNote } from "../cashier/DeskNote";
import { DayNumbers, LaneColumn } from "../cashier/LaneColumn";
import { OrderCard } from "../cashier/OrderCard";
import { Orders } from "../cashier/Orders";
import { TopUp } from "../cashier/TopUp";
import { LaneControl } from "../lane/control";
import { money } from "../lib/format";
import { say, t } from "../lib/i18n";
import { Live } from "../lib/live";
import { session } from "../lib/session";
import { Gate } from "../parts/Gate";
import { mount } from "../parts/mount";
import { linkNotice, NoticeStrip, type Notice } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";
import type { DayView, LaneView } from "../types";

const DESK_ROLES = ["cashier", "manager", "admin"];

function Page() {
  if (session.value === "ready") {
    return (
      <Gate roles={DESK_ROLES}>
        <DeskPage />
      </Gate>
    );
  }
  return (
    <div class="page">
      <StateStrip page={t("cashier.title")} help="cashier" />
      <main>
        <Gate>{null}</Gate>
      </main>
    </div>
  );
}

/** All that lives as long as the page. */
function makeDesk() {
  const live = new Live(["lane/", "day"]);
  const controls = new Map<string, LaneControl>();
  const controlOf = (lane: string): LaneControl => {
    const control = controls.get(lane) ?? new LaneControl(lane, live);
    controls.set(lane, control);
    return control;
  };
  const day = live.view("day") as ReadonlySignal<DayView | undefined>;
  return { live, controlOf, day, book: new Book(), desk: new Desk() };
}

function DeskPage() {
  const { live, controlOf, day, book, desk } = useMemo(makeDesk, []);
  useEffect(() => followDay(day, book), [day, book]);
  useEffect(() => followMoney(desk, book, day), [desk, book, day]);
  const lanes = live.keysSeen.value.filter((key) => key.startsWith("lane/")).map((key) => key.slice("lane/".length));
  const controls = lanes.map(controlOf);
  const views = controls.map((control) => control.view.value).filter((view) => view !== undefined);
  const present = views.flatMap((view) => (view.diner.member ? [{ member: view.diner.member, lane: view.lane }] : []));
  const chosen = book.chosen.value;
  return (
    <div class="page page-cashier">
      <StateStrip page={t("cashier.title")} link={live.state.value} help="cashier" />
      <NoticeStrip notice={noticeOf(live, views)} />
      <main>
        <div class="desk-lanes">
          {controls.map((control) => (
            <LaneColumn key={control.lane} control={control} />
          ))}
          <div class="desk-side">
            {day.value && <DayNumbers numbers={numbersOf(day.value)} />}
            <DeskNote desk={desk} />
          </div>
        </div>
        <div class="desk-below">
          <Orders book={book} />
          {chosen ? (
            <OrderCard order={chosen} desk={desk} today={day.value?.business_day ?? ""} />
          ) : (
            <section class="panel order order-none">
              <p>{t("order.pick")}</p>
            </section>
          )}
          <TopUp desk={desk} present={present} />
        </div>
      </main>
    </div>
  );
}

/** Reads the orders again when the day's numbers change. */
function followDay(day: ReadonlySignal<DayView | undefined>, book: Book): () => void {
  return effect(() => {
    const now = day.value;
    if (now) void book.load(now.business_day);
  });
}

/** Shows the order anew after something was given back. */
function followMoney(desk: Desk, book: Book, day: ReadonlySignal<DayView | undefined>): () => void {
  return effect(() => {
    if (desk.outbox.delivery.value.at !== "confirmed") return;
    const chosen = book.chosen.peek();
    if (chosen) void book.open(chosen.order_id);
    const today = day.peek()?.business_day;
    if (today !== undefined) void book.load(today);
  });
}

function noticeOf(live: Live, views: readonly LaneView[]): Notice {
  const link = linkNotice(live.state.value, live.ageS.value);
  if (link) return link;
  const calling = views.filter((view) => view.staff_called).map((view) => say(view.name));
  const names = calling.join(t("menu.comma"));
  if (names !== "") return { level: "warning", text: t("cashier.calls", { lanes: names }) };
  const untrusted = views.some((view) => !view.clock_trusted);
  return untrusted ? { level: "warning", text: t("notice.clock") } : { level: "quiet", text: t("cashier.quiet") };
}

function numbersOf(day: DayView): [string, string][] {
  const numbers: [string, string][] = [
    [t("day.orders"), String(day.orders)],
    [t("day.plates"), String(day.plates_sold)],
    [t("day.paid"), money(day.paid_fen)],
    [t("day.cash"), money(day.cash_fen)],
    [t("day.subsidy"), money(day.subsidy_fen)],
    [t("day.refunded"), money(day.refunded_fen)],
  ];
  if (day.set_aside > 0) numbers.push([t("day.set_aside"), String(day.set_aside)]);
  return numbers;
}

mount(Page, "page.cashier");
