/**
 * Report a fault in one touch, with a photo and more words if wanted. The report goes first and alone: whatever becomes
 * of the photo, maintenance has been told, and the page says which of the two has arrived.
 */
import { useMemo, useState } from "preact/hooks";

import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { t } from "../lib/i18n";
import { PhotoPick } from "./PhotoPick";
import { usePhotoSend } from "./photoSend";
import { PhotoState } from "./PhotoState";

const WHAT = ["noise", "stuck", "slips", "screen", "loose", "other"] as const;

export function ReportFault({ asset }: { asset: string }) {
  const act = useMemo(() => new Act("gym"), []);
  const sending = usePhotoSend();
  const [note, setNote] = useState("");
  /** The order that the last report went to; "" before. */
  const [order, setOrder] = useState("");
  const busy = act.state.value.at === "sent" || sending.busy;
  const photoOf = (to: string): string => `/orders/${encodeURIComponent(to)}/photo`;
  const send = async (what: string): Promise<void> => {
    if (!(await act.send(`/assets/${encodeURIComponent(asset)}/fault`, { what, note }))) return;
    const told = act.told<{ order: string }>().order ?? "";
    setOrder(told);
    await sending.send(photoOf(told));
  };
  return (
    <section class="panel report">
      <h2>{t("machine.fault")}</h2>
      <p class="muted">{t("machine.fault.does")}</p>
      <div class="choices">
        {WHAT.map((what) => (
          <button key={what} type="button" disabled={busy} onClick={() => void send(what)}>
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
      {order !== "" && <p class="said" role="status">{t("machine.fault.thanks")}</p>}
      <ActLine act={act} />
      <h3>{t("photo.title")}</h3>
      <PhotoPick photo={sending.photo} onChange={sending.choose} disabled={busy} />
      {order === "" ? (
        sending.photo && <p class="photo-along">{t("photo.along")}</p>
      ) : (
        <PhotoState of={sending} onSend={() => void sending.send(photoOf(order))} />
      )}
    </section>
  );
}
