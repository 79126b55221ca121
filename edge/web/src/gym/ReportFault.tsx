/** Report a fault in one touch, with more words if wanted. */
import { useMemo, useState } from "preact/hooks";

import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { t } from "../lib/i18n";

const WHAT = ["noise", "stuck", "slips", "screen", "loose", "other"] as const;

export function ReportFault({ asset }: { asset: string }) {
  const act = useMemo(() => new Act("gym"), []);
  const [note, setNote] = useState("");
  const [told, setTold] = useState(false);
  const send = async (what: string): Promise<void> => {
    setTold(await act.send(`/assets/${encodeURIComponent(asset)}/fault`, { what, note }));
  };
  return (
    <section class="panel report">
      <h2>{t("machine.fault")}</h2>
      <p class="muted">{t("machine.fault.does")}</p>
      <div class="choices">
        {WHAT.map((what) => (
          <button key={what} type="button" disabled={act.state.value.at === "sent"} onClick={() => void send(what)}>
            {t(`wrong.${what}`)}
          </button>
        ))}
      </div>
      <label>
        {t("machine.note")}
        <input value={note} maxLength={200} onInput={(event) => {
          setNote(event.currentTarget.value);
        }} />
      </label>
      {told && <p class="said" role="status">{t("machine.fault.thanks")}</p>}
      <ActLine act={act} />
    </section>
  );
}
