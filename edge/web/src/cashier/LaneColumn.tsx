/** One lane as the desk sees it: who calls, what is wrong, what is to be paid, and the plate that cannot be read. */
import { HandHelping } from "lucide";
import { useState } from "preact/hooks";

import type { LaneControl } from "../lane/control";
import { promptOf } from "../lane/words";
import { say, t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import { Money } from "../parts/Money";
import type { LaneView } from "../types";

export function LaneColumn({ control }: { control: LaneControl }) {
  const view = control.view.value;
  const prompt = promptOf(control);
  const called = view?.staff_called === true;
  const priced = view !== undefined && view.tray_id !== "" && view.steps.length > 0;
  return (
    <section class="desk-lane" data-called={called} data-stale={control.stale.value}>
      <header>
        <h2>{view ? say(view.name) : t("lane.title", { lane: control.lane })}</h2>
        <a href={`/lane/${encodeURIComponent(control.lane)}`}>{t("cashier.screen")}</a>
      </header>
      <div class="desk-say" data-tone={prompt.tone}>
        <strong>{prompt.title}</strong>
        <span>{prompt.todo}</span>
      </div>
      <div class="desk-lane-row">
        {view && <Diner view={view} />}
        <Money class="desk-lane-total" fen={priced ? view.payable_fen : null} />
      </div>
      <div class="desk-lane-acts">
        <KeyPlate control={control} view={view} />
        <button
          type="button"
          class={called ? "primary" : ""}
          disabled={!called || control.sent.value !== "" || control.stale.value}
          onClick={() => void control.callStaff(false)}
        >
          <Icon of={HandHelping} />
          {t(called ? "cashier.here" : "cashier.no_call")}
        </button>
      </div>
    </section>
  );
}

function Diner({ view }: { view: LaneView }) {
  const count = view.plates.length;
  return (
    <>
      <span>{[say(view.diner.name), view.diner.member].filter(Boolean).join(" ")}</span>
      <span>{count > 0 ? t("cashier.plates", { n: count }) : ""}</span>
    </>
  );
}

function KeyPlate({ control, view }: { control: LaneControl; view: LaneView | undefined }) {
  const [label, setLabel] = useState("");
  const tray = view?.tray_id ?? "";
  // Where nothing answers, all chips on the tray may be dead: the label is then the only way to sell it.
  const here = tray !== "" || view?.phase === "empty";
  const idle = !here || view?.phase === "paid" || control.stale.value || control.sent.value !== "";
  return (
    <form
      class="desk-key"
      onSubmit={(event) => {
        event.preventDefault();
        void control.keyPlate(label.trim()).then((done) => {
          if (done) setLabel("");
        });
      }}
    >
      <label>
        <span class="hidden">{t("cashier.key")}</span>
        <input
          type="text"
          value={label}
          maxLength={32}
          placeholder={t("cashier.key.short")}
          autocomplete="off"
          disabled={!here}
          onInput={(event) => {
            setLabel(event.currentTarget.value);
          }}
        />
      </label>
      <button type="submit" disabled={idle || label.trim() === ""}>
        {t(control.sent.value === "key-plate" ? "act.sent" : "cashier.key.go")}
      </button>
    </form>
  );
}

/** The day in a few numbers. */
export function DayNumbers({ numbers }: { numbers: readonly (readonly [string, string])[] }) {
  return (
    <dl class="day">
      {numbers.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
