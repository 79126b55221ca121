/** Why somebody stopped: one touch; a grave answer calls the coach, and says so. */
import { useMemo, useState } from "preact/hooks";

import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { t } from "../lib/i18n";

const REASONS = ["finished", "tired", "breathless", "dizzy", "chest_pain", "leg_pain"] as const;
const CALM: readonly string[] = ["finished", "tired"];

export function StopReason({ workout }: { workout: string }) {
  const act = useMemo(() => new Act("gym"), []);
  const [given, setGiven] = useState("");
  const send = async (reason: string): Promise<void> => {
    if (await act.send(`/workouts/${encodeURIComponent(workout)}/reason`, { reason })) setGiven(reason);
  };
  if (given !== "") {
    return (
      <p class="panel said" role="status" data-called={!CALM.includes(given)}>
        {t(CALM.includes(given) ? "stop.thanks" : "stop.called")}
      </p>
    );
  }
  return (
    <section class="panel felt">
      <h2>{t("machine.felt")}</h2>
      <div class="choices">
        {REASONS.map((reason) => (
          <button key={reason} type="button" disabled={act.state.value.at === "sent"} onClick={() => void send(reason)}>
            {t(`stop.${reason}`)}
          </button>
        ))}
      </div>
      <ActLine act={act} />
    </section>
  );
}
