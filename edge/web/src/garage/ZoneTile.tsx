/** A zone on the wall: state in a word and a shape, since when, the first cause, and what of the cut is proven. */
import { CircleCheck, Eye, Flame, LockKeyhole, TriangleAlert } from "lucide";
import type { IconNode } from "lucide";

import { nowMs } from "../lib/clock";
import { ageWords, grouped } from "../lib/format";
import { say, t } from "../lib/i18n";
import type { Live } from "../lib/live";
import { Icon } from "../parts/Icon";
import type { ZoneState, ZoneView } from "../types";
import { levelOf, reasonsOf, reasonWords, sinceS, zoneWord } from "./words";

const ICONS: Record<ZoneState, IconNode> = {
  normal: CircleCheck,
  watch: Eye,
  pre_alarm: TriangleAlert,
  fire: Flame,
  latched: LockKeyhole,
  resettable: LockKeyhole,
};
const MAX_REASONS = 3;

export function ZoneTile({ zone, live }: { zone: ZoneView; live: Live }) {
  const stale = live.state.value !== "live";
  // Reading the clock makes ages grow while nothing comes.
  const heldS = nowMs.value > 0 ? live.heldS(`zone/${zone.zone}`) : 0;
  return (
    <li class="zone-tile" data-level={levelOf(zone.state)} data-state={zone.state} data-stale={stale}>
      <a href={`/garage/zone/${encodeURIComponent(zone.zone)}`}>
        <h2>{say(zone.name)}</h2>
        <p class="zone-state">
          <Icon of={ICONS[zone.state]} />
          <strong>{zoneWord(zone)}</strong>
          <span>{t("zone.since", { age: ageWords(sinceS(zone, heldS)) })}</span>
        </p>
        <Reasons zone={zone} />
        <Done zone={zone} />
        <Power zone={zone} />
        <p class="zone-heard">{stale ? t("zone.stale", { age: ageWords(heldS) }) : heardWords(zone, heldS)}</p>
      </a>
    </li>
  );
}

function Reasons({ zone }: { zone: ZoneView }) {
  const reasons = reasonsOf(zone);
  if (reasons.length === 0) return null;
  return (
    <ol class="zone-reasons">
      {reasons.slice(0, MAX_REASONS).map((reason) => (
        <li key={reason}>{reasonWords(reason, zone)}</li>
      ))}
      {reasons.length > MAX_REASONS && <li>{t("zone.more", { n: reasons.length - MAX_REASONS })}</li>}
    </ol>
  );
}

/** What was done about it, and what of it is proven. */
export function Done({ zone }: { zone: ZoneView }) {
  const done = [
    zone.cut === "none" ? "" : t(`cut.${zone.cut}`),
    zone.doors_released ? t("zone.doors") : "",
    zone.water_asked ? t("zone.water") : "",
    zone.silenced ? t("zone.silenced") : "",
    zone.test_left_s > 0 ? t("zone.testing", { left: ageWords(zone.test_left_s) }) : "",
  ].filter((text) => text !== "");
  if (done.length === 0) return null;
  const bad = zone.cut === "unproven" || zone.cut === "welded";
  return (
    <ul class="zone-done" data-bad={bad}>
      {done.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

export function Power({ zone }: { zone: ZoneView }) {
  const share = zone.limit_w > 0 ? Math.min(100, (100 * zone.power_w) / zone.limit_w) : 0;
  return (
    <div class="zone-power">
      <span>{t("zone.power", { w: grouped(zone.power_w), limit: grouped(zone.limit_w) })}</span>
      <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-day" width="100" height="10" />
        <rect class="bar-fill" width={share} height="10" />
      </svg>
    </div>
  );
}

/** The oldest word of any detector: silence is what a wall must not hide. */
function heardWords(zone: ZoneView, heldS: number): string {
  const good = zone.sources.filter((source) => source.state === "clear" || source.state === "active");
  const ages = zone.sources.map((source) => source.heard_ago_s);
  const oldest = Math.max(0, ...ages.map((age) => age ?? 0)) + heldS;
  const counts = { good: good.length, all: zone.sources.length };
  return ages.includes(null) ? t("zone.unheard", counts) : t("zone.heard", { ...counts, age: ageWords(oldest) });
}
