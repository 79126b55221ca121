/** What goes on by itself: simulated diners, and faults of the simulated readers. */
import { useState } from "preact/hooks";

import { t } from "../lib/i18n";
import type { Simulator } from "./simulator";

const FAULTS = ["none", "noise", "unplug", "replug", "reset", "leak"] as const;
/** These happen once and are over; the others last until another is chosen. */
const MOMENTARY = new Set<string>(["replug", "reset"]);
const DEFAULT_PER_MINUTE = 6;
const MAX_PER_MINUTE = 30;

export function Diners({ simulator }: { simulator: Simulator }) {
  const diners = simulator.state.value?.diners;
  const [wished, setWished] = useState<number | null>(null);
  const rate = wished ?? diners?.per_minute ?? DEFAULT_PER_MINUTE;
  const on = diners?.on === true;
  const tell = (next: boolean, perMinute: number): void => {
    void simulator.ask("diners", "/diners", { on: next, per_minute: perMinute });
  };
  return (
    <section class="panel panel-diners">
      <h2>{t("demo.diners")}</h2>
        <button
          type="button"
          aria-pressed={on}
          disabled={diners === undefined || simulator.asked.value !== ""}
          onClick={() => {
            tell(!on, rate);
          }}
        >
          {t(on ? "demo.diners.stop" : "demo.diners.start")}
        </button>
        <label class="panel-rate">
          <span>{t("demo.rate", { n: rate })}</span>
          <input
            type="range"
            min={1}
            max={MAX_PER_MINUTE}
            value={rate}
            onInput={(event) => {
              setWished(Number(event.currentTarget.value));
            }}
            onChange={(event) => {
              tell(on, Number(event.currentTarget.value));
              setWished(null);
            }}
          />
        </label>
    </section>
  );
}

export function LaneTools({ simulator, lane }: { simulator: Simulator; lane: string }) {
  const state = simulator.state.value?.lanes[lane];
  const busy = simulator.asked.value !== "" || state === undefined;
  const path = `/lanes/${encodeURIComponent(lane)}`;
  const current = state?.link === "unplugged" ? "unplug" : (state?.fault ?? "none");
  return (
    <section class="tools" aria-label={t("demo.tools", { lane })}>
      <button
        type="button"
        disabled={busy || state.tray.length === 0}
        onClick={() => void simulator.ask("remove", `${path}/tray`, undefined, "DELETE")}
      >
        {t("demo.take")}
      </button>
      <span class="tools-label">{t("demo.faults")}</span>
      {FAULTS.map((fault) => (
        <button
          key={fault}
          type="button"
          disabled={busy || (fault === "replug" && state.link !== "unplugged")}
          {...(MOMENTARY.has(fault) ? {} : { "aria-pressed": current === fault })}
          onClick={() => void simulator.ask("fault", `${path}/fault`, { fault })}
        >
          {t(`fault.${fault}`)}
        </button>
      ))}
    </section>
  );
}
