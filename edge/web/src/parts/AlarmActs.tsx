/** The separate acts on one alarm, the same in every part of the box: each says what it does and what it does not. */
import { useMemo, useState } from "preact/hooks";

import { t } from "../lib/i18n";
import { me } from "../lib/session";
import type { AlarmView } from "../types";
import { Act } from "./act";
import { Button } from "./ActButton";
import { ActLine } from "./ActLine";

const SHELF_MIN = [15, 60, 240, 480] as const;
/** Who may bring back what maintenance took out of service. */
const STAFF = ["maintenance", "manager", "admin"];

interface Props {
  alarm: AlarmView;
  part: "garage" | "gym";
  /** What acknowledging does here. */
  acknowledges: string;
  /** Sounds are silenced by place, where the part of the box can do that. */
  silenceable?: boolean;
}

export function AlarmActs({ alarm, part, acknowledges, silenceable = false }: Props) {
  const act = useMemo(() => new Act(part), []);
  const [shelving, setShelving] = useState(false);
  const busy = act.state.value.at === "sent";
  const send = (what: string, body: object = {}): void => {
    setShelving(false);
    void act.send(`/alarms/${alarm.alarm_id}/${what}`, body);
  };
  const unseen = alarm.state === "unacknowledged" || alarm.state === "returned_unacknowledged";
  const sounds = silenceable && alarm.state === "unacknowledged" && !alarm.silenced && alarm.zone !== "";
  return (
    <div class="alarm-acts">
      {unseen && (
        <Button busy={busy} primary text={t("press.acknowledge")} does={acknowledges} onPress={() => {
          send("acknowledge");
        }} />
      )}
      {sounds && (
        <Button busy={busy} text={t("press.silence")} does={t("press.silence.does")} onPress={() => {
          void act.send(`/zones/${encodeURIComponent(alarm.zone)}/silence`);
        }} />
      )}
      {alarm.state === "out_of_service" && STAFF.includes(me.value?.role ?? "") && (
        <Button busy={busy} text={t("press.restore")} does={t("press.restore.does")} onPress={() => {
          send("service", { out: false });
        }} />
      )}
      {alarm.state === "shelved" ? (
        <Button busy={busy} text={t("press.unshelve")} does={t("press.unshelve.does")} onPress={() => {
          send("shelve", { minutes: 0 });
        }} />
      ) : (
        <Button
          busy={busy || !alarm.shelvable}
          text={t("press.shelve")}
          does={t(alarm.shelvable ? "press.shelve.does" : "press.shelve.never")}
          onPress={() => {
            setShelving(!shelving);
          }}
        />
      )}
      {alarm.latched && alarm.priority !== "fire" && (
        <Button busy={busy} text={t("press.reset_alarm")} does={t("press.reset_alarm.does")} onPress={() => {
          send("reset");
        }} />
      )}
      {shelving && <Shelf onChoose={(minutes) => {
        send("shelve", { minutes });
      }} />}
      <ActLine act={act} />
    </div>
  );
}

/** For how long: a shelf always ends by itself. */
function Shelf({ onChoose }: { onChoose: (minutes: number) => void }) {
  return (
    <p class="shelf" role="group" aria-label={t("press.shelve")}>
      {SHELF_MIN.map((minutes) => (
        <button key={minutes} type="button" onClick={() => {
          onChoose(minutes);
        }}>
          {t("press.shelve.for", { n: minutes })}
        </button>
      ))}
    </p>
  );
}
