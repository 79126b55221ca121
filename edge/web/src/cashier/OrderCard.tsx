/**
 * One order: the receipt as sold, what was given back, and giving back, with the exact amount shown before it is
 * done.
 */
import { useState } from "preact/hooks";

import { dayTimeOfNs, money } from "../lib/format";
import { known, say, t, type Key } from "../lib/i18n";
import { Hold } from "../parts/Hold";
import { Receipt } from "../parts/Receipt";
import type { Order, StepView } from "../types";
import type { Desk } from "./desk";
import { statusWord } from "./Orders";

const REASONS = ["wrong_dish", "quality", "double", "other"] as const;

interface Props {
  order: Order;
  desk: Desk;
  /** The business day: an order of another day cannot be voided. */
  today: string;
}

export function OrderCard({ order, desk, today }: Props) {
  return (
    <section class="panel order">
      <header>
        <h2>{t("order.title", { id: order.order_id.slice(-8) })}</h2>
        <strong>{statusWord(order.status)}</strong>
      </header>
      <p class="order-facts">{facts(order)}</p>
      <Receipt
        steps={stepsOf(order)}
        payableFen={order.payable_fen}
        lines={order.lines.map((line) => ({
          key: line.dish_id,
          name: line.name,
          grams: line.grams,
          ...(line.refunded ? { note: t("order.refunded") } : {}),
        }))}
      />
      <Back key={`${order.order_id}.${order.refunded_fen}`} order={order} desk={desk} today={today} />
    </section>
  );
}

function facts(order: Order): string {
  const parts = [dayTimeOfNs(order.at_ns), t("lane.title", { lane: order.lane })];
  if (!order.at_trusted) parts.push(t("order.untrusted"));
  const method = known(`method.${order.payment?.method ?? ""}`);
  if (method) parts.push(t(method));
  if (order.payment?.method === "cash") {
    parts.push(t("order.cash", { got: money(order.payment.tendered_fen), change: money(order.payment.change_fen) }));
  }
  if (order.member) parts.push(order.member);
  parts.push(order.order_id);
  return parts.join(" · ");
}

/** The stored steps with each line's stored shares, in the form in which a lane shows them. */
function stepsOf(order: Order): StepView[] {
  return order.steps.map((step, i) => ({
    kind: step.kind,
    rule_id: step.rule_id,
    rule_version: step.rule_version,
    title: step.title ?? stepName(step.kind, step.rule_id),
    fen: step.fen,
    why: step.why,
    allocation: order.lines.map((line) => line.shares_fen[i] ?? 0),
  }));
}

function stepName(kind: string, ruleId: string): { zh: string; en: string } {
  const key = known(`step.${kind}`);
  const name = key ? t(key) : ruleId;
  return { zh: name, en: name };
}

/** Lines to pay back, the reason, and the two acts with their consequence in words. */
function Back({ order, desk, today }: Props) {
  const [lines, setLines] = useState<readonly number[]>([]);
  const [reason, setReason] = useState<(typeof REASONS)[number]>("wrong_dish");
  const open = order.lines.filter((line) => !line.refunded);
  if (open.length === 0 || order.status === "voided") return null;
  const fenOf = (numbers: readonly number[]): number =>
    open.filter((line) => numbers.includes(line.line_no)).reduce((sum, line) => sum + line.payable_fen, 0);
  const all = fenOf(open.map((line) => line.line_no));
  const busy = desk.outbox.delivery.value.at === "sent";
  const words = t(`reason.${reason}`);
  const to: Key = order.payment?.method === "cash" ? "order.to_cash" : "order.to_purse";
  return (
    <div class="back">
      <fieldset>
        <legend>{t("order.choose")}</legend>
        {open.map((line) => (
          <label key={line.line_no}>
            <input
              type="checkbox"
              checked={lines.includes(line.line_no)}
              onChange={(event) => {
                const without = lines.filter((no) => no !== line.line_no);
                setLines(event.currentTarget.checked ? [...without, line.line_no] : without);
              }}
            />
            <span>{line.name ? say(line.name) : line.dish_id}</span>
            <strong>{money(line.payable_fen)}</strong>
          </label>
        ))}
      </fieldset>
      <label class="panel-field">
        <span>{t("order.reason")}</span>
        <ReasonSelect value={reason} onChange={setReason} />
      </label>
      <Hold
        disabled={busy || lines.length === 0}
        onHeld={() => {
          desk.refund(order.order_id, [...lines].sort((a, b) => a - b), words);
        }}
      >
        {lines.length === 0 ? t("order.refund_none") : t("order.refund", { fen: money(fenOf(lines)), to: t(to) })}
      </Hold>
      <Hold
        class="danger"
        disabled={busy || order.business_day !== today}
        onHeld={() => {
          desk.voidOrder(order.order_id, words);
        }}
      >
        {order.business_day === today ? t("order.void", { fen: money(all), to: t(to) }) : t("order.void_old")}
      </Hold>
    </div>
  );
}

interface ReasonProps {
  value: (typeof REASONS)[number];
  onChange: (value: (typeof REASONS)[number]) => void;
}

function ReasonSelect({ value, onChange }: ReasonProps) {
  return (
    <select
      value={value}
      onChange={(event) => {
        onChange(REASONS.find((reason) => reason === event.currentTarget.value) ?? "other");
      }}
    >
      {REASONS.map((reason) => (
        <option key={reason} value={reason}>
          {t(`reason.${reason}`)}
        </option>
      ))}
    </select>
  );
}
