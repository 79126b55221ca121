/** What the lane says in each state: one line that tells what is so, one that tells what to do. */
import { ageWords, money } from "../lib/format";
import { wordsOfProblem } from "../lib/http";
import { known, t, type Key } from "../lib/i18n";
import type { LaneView, PlateView } from "../types";
import type { LaneControl, Words } from "./control";

/** Tone of the prompt line: the colour is never alone, an icon and the words go with it. */
export type Tone = "calm" | "busy" | "look" | "stop" | "good";

export interface Prompt extends Words {
  tone: Tone;
}

export function promptOf(control: LaneControl): Prompt {
  const view = control.view.value;
  const mode = control.mode.value;
  if (control.stale.value && mode !== "paying" && mode !== "waiting") return stalePrompt(control);
  const payment = control.outbox.delivery.value;
  if (mode === "refused" && payment.at === "refused") return { tone: "look", ...wordsOfProblem(payment.problem) };
  const oops = control.oops.value;
  if (oops && mode !== "paying") return { tone: "look", ...oops };
  if (mode === "paying" && payment.at === "sent") {
    const retrying = payment.tries > 1 || payment.trouble !== "";
    return { tone: "busy", title: t("lane.paying"), todo: t(retrying ? "lane.paying.again" : "lane.paying.do") };
  }
  if (!view || mode === "waiting") return { tone: "calm", title: t("lane.waiting"), todo: t("lane.waiting.do") };
  return phasePrompt(view, mode === "confirmed");
}

function stalePrompt(control: LaneControl): Prompt {
  const age = ageWords(control.live.ageS.value);
  return { tone: "stop", title: t("lane.stale", { age }), todo: t("lane.stale.do") };
}

function phasePrompt(view: LaneView, confirmed: boolean): Prompt {
  if (confirmed) return { tone: "good", title: t("lane.paid"), todo: t("lane.paid.do") };
  switch (view.phase) {
    case "empty":
      return { tone: "calm", title: t("lane.empty"), todo: t("lane.empty.do") };
    case "reading":
      return { tone: "busy", title: t("lane.reading"), todo: t("lane.reading.do") };
    case "firm":
      return { tone: "calm", title: t("lane.firm"), todo: t("lane.firm.do", { n: countRead(view) }) };
    case "paid":
      return { tone: "good", title: t("lane.paid"), todo: paidTodo(view) };
    case "offline":
      return { tone: "stop", ...problemWords("reader_offline", view) };
    case "blocked":
      return { tone: "look", ...problemWords(view.problem, view) };
    case "ask":
      return { tone: "look", title: t("problem.cannot_be_sure"), todo: t("lane.ask.do", { n: countRead(view) }) };
  }
}

function paidTodo(view: LaneView): string {
  const paid = view.paid;
  if (!paid) return t("lane.paid.do");
  if (paid.change_fen > 0) return t("lane.paid.change", { fen: money(paid.change_fen) });
  return paid.balance_fen === null ? t("lane.paid.do") : t("lane.paid.balance", { fen: money(paid.balance_fen) });
}

/** What is printed on the plate; of one that is not registered we only know the end of its chip number. */
export function plateMark(plate: PlateView): string {
  return plate.label || `…${plate.uid.slice(-6)}`;
}

/** Words for a stable problem code; a code that this page does not know still names a way out. */
function problemWords(code: string, view: LaneView): Words {
  const name = known(`problem.${code}`);
  const todo = known(`problem.${code}.do`);
  const plates = view.plates.filter((plate) => plate.blocks);
  const params = {
    n: countRead(view),
    counted: view.assurance?.confirmed_plates ?? 0,
    label: plates.map(plateMark).join(", "),
    lane: plates.find((plate) => plate.other_lane)?.other_lane ?? "",
  };
  return {
    title: name ? t(name, params) : t("problem.other", { code }),
    todo: todo ? t(todo, params) : t("problem.other.do"),
  };
}

/** Plates that lie on this lane's tray: those that clearly belong to another lane do not. */
export function ownPlates(view: LaneView): readonly PlateView[] {
  return view.plates.filter((plate) => plate.state !== "other_lane" || plate.blocks);
}

export function countRead(view: LaneView): number {
  return ownPlates(view).length;
}

/** The reason under a plate that is not priced. */
export function plateReason(state: string, otherLane: string | null): string {
  const key: Key | null = known(`plate.${state}`);
  return key ? t(key, { lane: otherLane ?? "" }) : state;
}
