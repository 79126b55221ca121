/** Cash handed over: likely notes to touch, or digits; the change is shown before anything is confirmed. */
import { Delete } from "lucide";
import { useState } from "preact/hooks";

import { money } from "../lib/format";
import { t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { LaneControl } from "./control";

/** Round amounts that people hand over, in fen: whole yuan, then the notes in use. */
const STEPS_FEN = [100, 500, 1000, 2000, 5000, 10_000] as const;
const CHOICES = 6;
const MAX_TENDER_FEN = 1_000_000;
const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "0"] as const;

/** The exact amount, then it rounded up to each step; ascending, no repeats. */
export function likelyTenders(payableFen: number): number[] {
  const rounded = STEPS_FEN.map((step) => Math.ceil(payableFen / step) * step);
  return [...new Set([payableFen, ...rounded])].sort((a, b) => a - b).slice(0, CHOICES);
}

export function CashPane({ control, payableFen }: { control: LaneControl; payableFen: number }) {
  const [typed, setTyped] = useState("");
  const choose = (fen: number): void => {
    setTyped("");
    control.tendered.value = fen;
  };
  const type = (digits: string): void => {
    const fen = Number(digits || "0");
    if (fen > MAX_TENDER_FEN) return;
    setTyped(digits);
    control.tendered.value = digits === "" ? null : fen;
  };
  return (
    <div class="pane cash-pane">
      <h3>{t("cash.title")}</h3>
      <div class="cash-notes">
        {likelyTenders(payableFen).map((fen) => (
          <button
            key={fen}
            type="button"
            aria-pressed={control.tendered.value === fen && typed === ""}
            onClick={() => {
              choose(fen);
            }}
          >
            <strong>{money(fen)}</strong>
            <span>{fen === payableFen ? t("cash.exact") : t("cash.change", { fen: money(fen - payableFen) })}</span>
          </button>
        ))}
      </div>
      <Keypad typed={typed} onType={type} />
    </div>
  );
}

function Keypad({ typed, onType }: { typed: string; onType: (digits: string) => void }) {
  return (
    <div class="keypad" role="group" aria-label={t("cash.keypad")}>
      <output class="keypad-shown">{typed === "" ? t("cash.keypad") : money(Number(typed))}</output>
      {DIGITS.map((digit) => (
        <button
          key={digit}
          type="button"
          onClick={() => {
            onType(typed === "" && Number(digit) === 0 ? "" : typed + digit);
          }}
        >
          {digit}
        </button>
      ))}
      <button
        type="button"
        aria-label={t("cash.delete")}
        onClick={() => {
          onType(typed.slice(0, -1));
        }}
      >
        <Icon of={Delete} />
      </button>
    </div>
  );
}
