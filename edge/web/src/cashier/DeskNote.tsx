/**
 * What became of the desk's last money command: sent, confirmed, or refused with the reason. Always in the same
 * place.
 */
import { CircleCheck, LoaderCircle, TriangleAlert } from "lucide";

import { money } from "../lib/format";
import { wordsOfProblem } from "../lib/http";
import { t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { Desk } from "./desk";

export function DeskNote({ desk }: { desk: Desk }) {
  const delivery = desk.outbox.delivery.value;
  switch (delivery.at) {
    case "idle":
      return <p class="desk-note">{t("desk.idle")}</p>;
    case "sent":
      return (
        <p class="desk-note" data-tone="busy" role="status">
          <Icon of={LoaderCircle} />
          {t(delivery.tries > 1 || delivery.trouble ? "desk.again" : "desk.sent")}
        </p>
      );
    case "confirmed":
      return (
        <p class="desk-note" data-tone="good" role="status">
          <Icon of={CircleCheck} />
          {confirmedWords(delivery.answer)}
          <Dismiss desk={desk} />
        </p>
      );
    case "refused": {
      const words = wordsOfProblem(delivery.problem);
      return (
        <p class="desk-note" data-tone="look" role="alert">
          <Icon of={TriangleAlert} />
          <span>
            <strong>{words.title}</strong> {words.todo}
          </span>
          <Dismiss desk={desk} />
        </p>
      );
    }
  }
}

function Dismiss({ desk }: { desk: Desk }) {
  return (
    <button
      type="button"
      onClick={() => {
        desk.outbox.dismiss();
      }}
    >
      {t("act.understood")}
    </button>
  );
}

/** A refund tells what was paid back, a top-up the new balance. */
function confirmedWords(answer: unknown): string {
  const told = (answer ?? {}) as { refunded_fen?: unknown; balance_fen?: unknown; method?: unknown };
  const parts = [t("desk.confirmed")];
  if (typeof told.refunded_fen === "number") {
    const key = told.method === "cash" ? "desk.refunded_cash" : "desk.refunded";
    parts.push(t(key, { fen: money(told.refunded_fen) }));
  }
  if (typeof told.balance_fen === "number") parts.push(t("total.balance", { fen: money(told.balance_fen) }));
  return parts.join(" · ");
}
