/** One alarm with four separate acts. Each says what it does and what it does not; none of them releases a cut. */
import { Flame, Info, TriangleAlert } from "lucide";
import { useState } from "preact/hooks";

import { dayTimeOfNs } from "../lib/format";
import { t } from "../lib/i18n";
import { me } from "../lib/session";
import { AlarmActs } from "../parts/AlarmActs";
import { Icon } from "../parts/Icon";
import type { AlarmView, ZoneView } from "../types";
import { nameOf } from "./names";
import { alarmState, causeWord, reasonWords } from "./words";

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
      {acts && me.value?.role !== "read-only" && (
        <AlarmActs alarm={alarm} part="garage" acknowledges={t("press.acknowledge.does")} silenceable />
      )}
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
