/** Open alarms of the gym with their acts; a pulse's alarm carries the beats that caused it. */
import { Info, Octagon, TriangleAlert } from "lucide";

import { alarmState } from "../garage/words";
import { dayTimeOfNs } from "../lib/format";
import { t } from "../lib/i18n";
import { me } from "../lib/session";
import { AlarmActs } from "../parts/AlarmActs";
import { Icon } from "../parts/Icon";
import type { AlarmView } from "../types";
import { Beats } from "./Beats";
import type { GymBoard } from "./board";
import { detailWords, word } from "./words";

export function GymAlarms({ board }: { board: GymBoard }) {
  const alarms = board.alarms.value?.alarms ?? [];
  return (
    <section class="gym-alarms" aria-label={t("coach.alarms")}>
      <h2>{t("coach.alarms")}</h2>
      {alarms.length === 0 && <p class="muted">{t("coach.alarms.none")}</p>}
      <ul class="alarm-list">
        {alarms.map((alarm) => (
          <GymAlarm key={alarm.alarm_id} alarm={alarm} board={board} />
        ))}
      </ul>
    </section>
  );
}

function GymAlarm({ alarm, board }: { alarm: AlarmView; board: GymBoard }) {
  const detail = alarm.details.at(-1) ?? "";
  const asset = board.assets.value.find((one) => one.asset === detail.split(":")[0]);
  const icon = alarm.priority === "high" ? Octagon : alarm.priority === "low" ? Info : TriangleAlert;
  return (
    <li class="alarm-card" data-priority={alarm.priority} data-state={alarm.state} data-cause={alarm.cause}>
      <header>
        <Icon of={icon} />
        <h3>{word("cause", alarm.cause)}</h3>
        <span>{detailWords(detail, board)}</span>
        {asset && asset.person !== "" && <strong>{asset.person}</strong>}
      </header>
      <p class="alarm-facts">
        <strong>{alarmState(alarm)}</strong>
        <span>{word("priority", alarm.priority)}</span>
        <time>{dayTimeOfNs(alarm.first_wall_ns)}</time>
        {alarm.count > 1 && <span>{t("alarm.count", { n: alarm.count })}</span>}
        {alarm.latched && <span>{t("alarm.latched")}</span>}
      </p>
      {alarm.cause.startsWith("heart_") && asset && asset.workout_id !== "" && (
        <Beats id={asset.workout_id} level={asset.heart.level} />
      )}
      {me.value?.role !== "read-only" && (
        <AlarmActs alarm={alarm} part="gym" acknowledges={t("coach.ack.does")} />
      )}
    </li>
  );
}
