/** One alarm with four separate acts. Each says what it does and what it does not; none of them releases a cut. */
import { Flame, Info, TriangleAlert } from "lucide";
import { useMemo, useState } from "preact/hooks";

import { dayTimeOfNs } from "../lib/format";
import { t } from "../lib/i18n";
import { me } from "../lib/session";
import { Icon } from "../parts/Icon";
import type { AlarmView, ZoneView } from "../types";
import { Act } from "./act";
import { ActLine } from "./ActLine";
import { nameOf } from "./names";
import { alarmState, causeWord, reasonWords } from "./words";

const SHELF_MIN = [15, 60, 240, 480] as const;
const FEW = 4;

interface Props {
  alarm: AlarmView;
  zone: ZoneView | undefined;
  /** On the wall only what it is; the acts are a touch away. */
  acts: boolean;
}

export function AlarmCard({ alarm, zone, acts }: Props) {
  return (
    <li class="alarm-card" data-priority={alarm.priority} data-state={alarm.state} data-live={alarm.active}>
      <header>
        <Icon of={alarm.priority === "fire" ? Flame : alarm.priority === "low" ? Info : TriangleAlert} />
        <h3>{causeWord(alarm)}</h3>
        <span class="alarm-zone">{nameOf(alarm.zone)}</span>
      </header>
      <p class="alarm-facts">
        <strong>{alarmState(alarm)}</strong>
        <span>{t(`priority.${priorityOf(alarm)}`)}</span>
        <time>{dayTimeOfNs(alarm.first_wall_ns)}</time>
        {alarm.count > 1 && <span>{t("alarm.count", { n: alarm.count })}</span>}
        {alarm.flapping && <span>{t("alarm.flapping")}</span>}
        {alarm.latched && <span>{t("alarm.latched")}</span>}
        {alarm.silenced && <span>{t("alarm.silenced")}</span>}
      </p>
      <Details alarm={alarm} zone={zone} />
      {acts && me.value?.role !== "read-only" && <Acts alarm={alarm} />}
    </li>
  );
}

function priorityOf(alarm: AlarmView): "fire" | "high" | "medium" | "low" {
  const known = (["fire", "high", "medium"] as const).find((priority) => priority === alarm.priority);
  return known ?? "low";
}

function Details({ alarm, zone }: { alarm: AlarmView; zone: ZoneView | undefined }) {
  const [all, setAll] = useState(false);
  const shown = all ? alarm.details : alarm.details.slice(0, FEW);
  const more = alarm.details.length - FEW + alarm.dropped;
  if (alarm.details.length === 0) return null;
  return (
    <div class="alarm-details">
      <ul>
        {shown.map((detail) => (
          <li key={detail}>{reasonWords(detail, zone)}</li>
        ))}
      </ul>
      {more > 0 && (
        <button
          type="button"
          aria-expanded={all}
          onClick={() => {
            setAll(!all);
          }}
        >
          {all ? t("alarm.fewer") : t("alarm.more", { n: more })}
        </button>
      )}
      {all && alarm.dropped > 0 && <p>{t("alarm.dropped", { n: alarm.dropped })}</p>}
    </div>
  );
}

function Acts({ alarm }: { alarm: AlarmView }) {
  const act = useMemo(() => new Act(), []);
  const [shelving, setShelving] = useState(false);
  const busy = act.state.value.at === "sent";
  const send = (what: string, body: object = {}): void => {
    setShelving(false);
    void act.send(`/alarms/${alarm.alarm_id}/${what}`, body);
  };
  const seen = alarm.state === "unacknowledged" || alarm.state === "returned_unacknowledged";
  const sounds = alarm.state === "unacknowledged" && !alarm.silenced && alarm.zone !== "";
  return (
    <div class="alarm-acts">
      {seen && (
        <Button busy={busy} primary text={t("press.acknowledge")} does={t("press.acknowledge.does")} onPress={() => {
          send("acknowledge");
        }} />
      )}
      {sounds && (
        <Button busy={busy} text={t("press.silence")} does={t("press.silence.does")} onPress={() => {
          void act.send(`/zones/${encodeURIComponent(alarm.zone)}/silence`);
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
      {shelving && (
        <p class="shelf" role="group" aria-label={t("press.shelve")}>
          {SHELF_MIN.map((minutes) => (
            <button key={minutes} type="button" onClick={() => {
              send("shelve", { minutes });
            }}>
              {t("press.shelve.for", { n: minutes })}
            </button>
          ))}
        </p>
      )}
      <ActLine act={act} />
    </div>
  );
}

interface ButtonProps {
  text: string;
  does: string;
  busy: boolean;
  primary?: boolean;
  onPress: () => void;
}

/** A button with its consequence below the word. */
export function Button({ text, does, busy, primary = false, onPress }: ButtonProps) {
  return (
    <button type="button" class={`act ${primary ? "primary" : ""}`} disabled={busy} onClick={onPress}>
      <span>{text}</span>
      <small>{does}</small>
    </button>
  );
}
