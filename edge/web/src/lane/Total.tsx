/** What is to be paid, as the largest thing on the page, and the steps that lead to it. */
import { money } from "../lib/format";
import { known, say, t } from "../lib/i18n";
import { size } from "../lib/prefs";
import { Money } from "../parts/Money";
import type { LaneView, StepView } from "../types";
import type { LaneControl } from "./control";

/** From 1000 yuan on the digits need more room. */
const LONG_FEN = 100_000;

export function Total({ control }: { control: LaneControl }) {
  const view = control.view.value;
  const mode = control.mode.value;
  const priced = view !== undefined && view.tray_id !== "" && view.plates.some((plate) => plate.price_fen !== null);
  const settled = priced && (view.phase === "firm" || view.phase === "paid");
  const long = priced && view.payable_fen >= LONG_FEN;
  return (
    <div class="total" data-firm={settled} data-stale={control.stale.value && priced}>
      <Diner view={view} />
      <ul class="total-steps">{priced && rowsOf(view.steps).map((row) => <Row key={row.key} row={row} />)}</ul>
      <div class="total-pay">
        <p class="total-label">{t(mode === "paid" || mode === "confirmed" ? "total.paid" : "total.payable")}</p>
        <Money class={long ? "total-digits total-long" : "total-digits"} fen={priced ? view.payable_fen : null} />
        <p class="total-note">{note(control, priced, settled)}</p>
      </div>
    </div>
  );
}

interface StepRow {
  key: string;
  name: string;
  fen: string;
}

/** So many rows fit beside the total; the whole receipt is one touch away. */
const MAX_ROWS = { normal: 4, elder: 3 } as const;

/**
 * The steps in short. The list price says nothing when it is the only step; a subsidy that was not granted stays, for
 * the diner asks why; what does not fit is added up in the last row.
 */
function rowsOf(steps: readonly StepView[]): StepRow[] {
  if (steps.length < 2) return [];
  const max = MAX_ROWS[size.value];
  const kept = steps.length > max ? max - 1 : max;
  const rows = steps.slice(0, kept).map((step) => ({
    key: step.rule_id,
    name: shortName(step),
    fen: step.kind === "subsidy" && step.fen === 0 ? t("total.none") : money(step.fen),
  }));
  const rest = steps.slice(kept);
  if (rest.length === 0) return rows;
  const fen = rest.reduce((sum, step) => sum + step.fen, 0);
  return [...rows, { key: "rest", name: t("total.rest", { n: rest.length }), fen: money(fen) }];
}

/** The kind of step, not the rule's title: which subsidy somebody gets is not for the queue behind to read. */
function shortName(step: StepView): string {
  const key = known(`step.${step.kind}`);
  return key ? t(key) : say(step.title);
}

function Row({ row }: { row: StepRow }) {
  return (
    <li>
      <span>{row.name}</span>
      <span>{row.fen}</span>
    </li>
  );
}

function Diner({ view }: { view: LaneView | undefined }) {
  if (!view) return <p class="total-diner" />;
  const balance = view.paid ? view.paid.balance_fen : view.diner.balance_fen;
  return (
    <p class="total-diner">
      <strong>{say(view.diner.name)}</strong>
      {balance !== null && <span>{t("total.balance", { fen: money(balance) })}</span>}
    </p>
  );
}

function note(control: LaneControl, priced: boolean, settled: boolean): string {
  if (!priced) return "";
  if (control.stale.value) return t("total.stale");
  if (settled) return "";
  return t(control.mode.value === "reading" ? "total.reading" : "total.open");
}
