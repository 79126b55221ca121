/**
 * A checkout lane: what lies on the reader, what it costs, what to do. It fills whatever box it is put in and scales
 * all its sizes with it, so the terminal and the demo page show the very same thing.
 */
import { useEffect, useMemo } from "preact/hooks";

import "../styles/lane.css";
import "../styles/lane-pay.css";
import "../styles/lane-panes.css";
import "../styles/lane-sizes.css";
import { t } from "../lib/i18n";
import { Nutrition } from "../parts/Nutrition";
import { Receipt } from "../parts/Receipt";
import type { LaneView } from "../types";
import { Actions } from "./Actions";
import { CardPane, type DemoCard } from "./CardPane";
import { CashPane } from "./CashPane";
import { CertaintyLine, CertaintyPane } from "./Certainty";
import type { LaneControl, Pane } from "./control";
import { CountPane } from "./CountPane";
import { Plates } from "./Plates";
import { PromptLine } from "./Prompt";
import { Total } from "./Total";
import { countRead } from "./words";

/** Panes with much in them take the room of the nutrition table too. */
const TALL: ReadonlySet<Pane> = new Set(["receipt", "certainty", "cash"]);

interface Props {
  control: LaneControl;
  /** Cards to choose from where the card reader is simulated. */
  cards?: readonly DemoCard[];
  /** Whether the lane names itself (where several are shown). */
  named?: boolean;
}

export function Lane({ control, cards = [], named = false }: Props) {
  const view = control.view.value;
  return (
    <section class="lane" aria-label={t("lane.title", { lane: control.lane })} data-mode={control.mode.value}>
      <div class="lane-in" data-stale={control.stale.value}>
        <PromptLine control={control} named={named} />
        <div class="lane-left">
          <div class="lane-pane">
            <LeftPane control={control} view={view} cards={cards} />
          </div>
          {!TALL.has(control.pane.value) && <Nutrition shares={view?.nutrition ?? []} />}
          <Foot control={control} view={view} />
        </div>
        <div class="lane-right">
          <Total control={control} />
          <Actions control={control} />
        </div>
      </div>
    </section>
  );
}

interface PaneProps {
  control: LaneControl;
  view: LaneView | undefined;
  cards: readonly DemoCard[];
}

function LeftPane({ control, view, cards }: PaneProps) {
  const pane = control.pane.value;
  if (pane === "card") return <CardPane control={control} cards={cards} />;
  if (view && view.plates.length > 0) {
    if (pane === "receipt") return <Receipt steps={view.steps} payableFen={view.payable_fen} lines={linesOf(view)} />;
    if (pane === "certainty" && view.assurance) {
      return <CertaintyPane assurance={view.assurance} plates={countRead(view)} />;
    }
    if (pane === "cash" && view.phase === "firm") return <CashPane control={control} payableFen={view.payable_fen} />;
    if (pane === "count") return <CountPane control={control} read={countRead(view)} />;
  }
  return <Plates view={view} />;
}

function linesOf(view: LaneView) {
  return view.plates
    .filter((plate) => plate.state === "priced")
    .map((plate) => ({ key: plate.uid, name: plate.name, grams: plate.grams }));
}

/** Two quiet questions that may always be asked: how is this made up, and how sure is it. */
function Foot({ control, view }: { control: LaneControl; view: LaneView | undefined }) {
  const pane = control.pane.value;
  const explained = view !== undefined && view.steps.length > 0 && view.phase !== "paid";
  return (
    <div class="lane-foot">
      <CertaintyLine
        assurance={view?.assurance ?? null}
        plates={view ? countRead(view) : 0}
        firm={view?.phase === "firm" || view?.phase === "paid"}
        expanded={pane === "certainty"}
        onWhy={() => {
          control.pane.value = pane === "certainty" ? "plates" : "certainty";
        }}
      />
      {explained && (
        <button
          type="button"
          class="lane-explain"
          aria-expanded={pane === "receipt"}
          onClick={() => {
            control.pane.value = pane === "receipt" ? "plates" : "receipt";
          }}
        >
          {t(pane === "receipt" ? "receipt.back" : "receipt.how")}
        </button>
      )}
    </div>
  );
}

/** A lane's control that lives as long as the component. */
export function useControl(make: () => LaneControl): LaneControl {
  const control = useMemo(make, []);
  useEffect(
    () => () => {
      control.close();
    },
    [control],
  );
  return control;
}
