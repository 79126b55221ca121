/** A work order with its steps and what may be done next; the way back into use is a return test alone. */
import { useEffect, useMemo, useState } from "preact/hooks";

import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { dayTimeOfNs } from "../lib/format";
import { call } from "../lib/http";
import { t } from "../lib/i18n";
import { Newest } from "../lib/newest";
import { me } from "../lib/session";
import { Hold } from "../parts/Hold";
import type { OrderView, WorkOrderSteps } from "../types";
import type { GymBoard } from "./board";
import { OrderPhoto } from "./OrderPhoto";
import { detailOf, word } from "./words";

const TESTERS = ["maintenance", "manager", "admin"];

export function OrderCard({ order, board }: { order: OrderView; board: GymBoard }) {
  const act = useMemo(() => new Act("gym"), []);
  return (
    <li class="panel order-card" data-state={order.state}>
      <header>
        <h3>{board.nameOf(order.asset)}</h3>
        <span>{word("order_cause", order.cause)}</span>
        <strong>{word("order_state", order.state)}</strong>
      </header>
      <p class="alarm-facts">
        {order.detail !== "" && <span>{detailOf(order.detail)}</span>}
        {order.ticket !== "" && <span>{order.ticket}</span>}
        <time>{dayTimeOfNs(order.opened_wall_ns)}</time>
        <span>{order.by === "box" ? t("upkeep.box") : order.by}</span>
      </p>
      <OrderPhoto order={order} mayChange={me.value?.role !== "read-only"} />
      <Steps id={order.order_id} state={order.state} photo={order.photo?.digest ?? ""} />
      {me.value?.role !== "read-only" && (isGone(order, board) ? <Gone order={order} act={act} />
        : <Acts order={order} act={act} />)}
      <ActLine act={act} />
    </li>
  );
}

/** The site file no longer names the machine: nothing is left to test. */
function isGone(order: OrderView, board: GymBoard): boolean {
  const machines = board.assets.value;
  return machines.length > 0 && !machines.some((one) => one.asset === order.asset);
}

function Gone({ order, act }: { order: OrderView; act: Act }) {
  const [note, setNote] = useState("");
  if (!TESTERS.includes(me.value?.role ?? "")) return <p>{t("upkeep.gone")}</p>;
  return (
    <div class="order-acts">
      <p>{t("upkeep.gone")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (note !== "") void act.send(`/orders/${encodeURIComponent(order.order_id)}/close`, { note });
        }}
      >
        <label>
          {t("upkeep.gone.why")}
          <input value={note} maxLength={500} onInput={(event) => {
            setNote(event.currentTarget.value);
          }} />
        </label>
        <button type="submit" disabled={act.state.value.at === "sent" || note === ""}>{t("upkeep.gone.close")}</button>
      </form>
    </div>
  );
}

function Acts({ order, act }: { order: OrderView; act: Act }) {
  const [ticket, setTicket] = useState("");
  const busy = act.state.value.at === "sent";
  const at = `/orders/${encodeURIComponent(order.order_id)}`;
  const machine = `/assets/${encodeURIComponent(order.asset)}`;
  const press = (text: string, does: string, path: string, body: object) => (
    <button type="button" class="act" disabled={busy} onClick={() => void act.send(path, body)}>
      <span>{text}</span>
      <small>{does}</small>
    </button>
  );
  return (
    <div class="order-acts">
      {order.state === "seen" && press(t("upkeep.ack"), t("upkeep.ack.does"), `${at}/acknowledge`, {})}
      {order.state !== "locked_out" && (
        <Hold class="act" disabled={busy} onHeld={() => void act.send(`${machine}/lock`, {})}>
          <strong>{t("upkeep.lock")}</strong> {t("upkeep.lock.does")}
        </Hold>
      )}
      {TESTERS.includes(me.value?.role ?? "") && (
        <>
          <Hold class="act" disabled={busy} onHeld={() => void act.send(`${machine}/return-test`, { passed: true })}>
            <strong>{t("upkeep.pass")}</strong> {t("upkeep.pass.does")}
          </Hold>
          {press(t("upkeep.fail"), t("upkeep.fail.does"), `${machine}/return-test`, { passed: false })}
        </>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ticket !== "") void act.send(`${at}/ticket`, { ticket });
        }}
      >
        <label>
          {t("upkeep.ticket.no")}
          <input value={ticket} maxLength={60} onInput={(event) => {
            setTicket(event.currentTarget.value);
          }} />
        </label>
        <button type="submit" disabled={busy || ticket === ""}>{t("upkeep.ticket")}</button>
      </form>
    </div>
  );
}

/** "also:reported" is a further cause under the same order. */
function stepWords(step: string): string {
  const [what = "", cause = ""] = step.split(":");
  return cause === "" ? word("step", what) : `${word("step", what)} ${word("order_cause", cause)}`;
}

/** Asked for anew when the order has changed: its state, or its photo. */
function Steps({ id, state, photo }: { id: string; state: string; photo: string }) {
  const [steps, setSteps] = useState<WorkOrderSteps["items"]>([]);
  const asked = useMemo(() => new Newest(), []);
  useEffect(() => {
    const wanted = asked.ask();
    call<WorkOrderSteps>(`/gym/orders/${encodeURIComponent(id)}/steps`)
      .then((answer) => {
        if (wanted()) setSteps(answer.items);
      })
      .catch(() => {
        if (wanted()) setSteps([]);
      });
  }, [id, state, photo]);
  if (steps.length < 2) return null;
  return (
    <ol class="steps" aria-label={t("upkeep.steps")}>
      {steps.map((step, i) => (
        <li key={`${step.at_ns}.${step.step}`}>
          {stepWords(step.step)} · {step.by === "box" ? t("upkeep.box") : step.by}
          {i > 0 && step.note !== "" && ` · ${detailOf(step.note)}`}
        </li>
      ))}
    </ol>
  );
}
