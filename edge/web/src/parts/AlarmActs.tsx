/** The separate acts on one alarm, the same in every part of the box: each says what it does and what it does not. */
import { useMemo, useState } from "preact/hooks";

import { t } from "../lib/i18n";
import { me } from "../lib/session";
import type { AlarmView } from "../types";
import { Act } from "./act";
import { Button } from "./ActButton";
import { ActLine } from "./ActLine";

const SHELF_MIN = [15, 60, 240, 480] as const;
/** What is put aside already cannot be shelved. */
const ASIDE = ["shelved", "suppressed", "out_of_service"];
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
  return (
    <div class="alarm-acts">
      {unseen && (
        <Button busy={busy} primary text={t("press.acknowledge")} does={acknowledges} onPress={() => {
          send("acknowledge");
        }} />
      )}
      {silenceable && sounds(alarm) && (
        <Button busy={busy} text={t("press.silence")} does={t("press.silence.does")} onPress={() => {
          void act.send(`/zones/${encodeURIComponent(alarm.zone)}/silence`);
        }} />
      )}
      <PutAside
        alarm={alarm}
        busy={busy}
        send={send}
        onShelve={() => {
          setShelving(!shelving);
        }}
      />
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

/** Whether there is a sound to silence. */
function sounds(alarm: AlarmView): boolean {
  return alarm.state === "unacknowledged" && !alarm.silenced && alarm.zone !== "";
}

interface AsideProps {
  alarm: AlarmView;
  busy: boolean;
  send: (what: string, body: object) => void;
  onShelve: () => void;
}

/** Put it aside, or bring back what is aside. */
function PutAside({ alarm, busy, send, onShelve }: AsideProps) {
  if (alarm.state === "out_of_service") {
    if (!STAFF.includes(me.value?.role ?? "")) return null;
    return (
      <Button busy={busy} text={t("press.restore")} does={t("press.restore.does")} onPress={() => {
        send("service", { out: false });
      }} />
    );
  }
  if (alarm.state === "shelved") {
    return (
      <Button busy={busy} text={t("press.unshelve")} does={t("press.unshelve.does")} onPress={() => {
        send("shelve", { minutes: 0 });
      }} />
    );
  }
  if (ASIDE.includes(alarm.state)) return null;
  return (
    <Button
      busy={busy || !alarm.shelvable}
      text={t("press.shelve")}
      does={t(alarm.shelvable ? "press.shelve.does" : "press.shelve.never")}
      onPress={onShelve}
    />
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
