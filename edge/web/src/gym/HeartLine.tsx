/** The pulse of one person with its ceiling: level by word, shape and colour; what is not known is said. */
import { CircleHelp, HeartPulse, Octagon, TriangleAlert } from "lucide";
import type { IconNode } from "lucide";

import { t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { HeartView } from "../types";
import { toneOf, word } from "./words";

const ICONS: Record<string, IconNode> = { ok: HeartPulse, off: HeartPulse, warn: TriangleAlert, alarm: Octagon };

export function HeartLine({ heart, stale }: { heart: HeartView; stale: boolean }) {
  return (
    <div class="heart" data-tone={stale ? "look" : toneOf(heart)} data-level={heart.level}>
      <p class="heart-now">
        <Icon of={ICONS[heart.level] ?? CircleHelp} />
        <strong>{stale || heart.bpm === null ? "—" : heart.bpm}</strong>
        <span>{heart.bpm === null ? t("coach.no_pulse") : t("coach.bpm")}</span>
      </p>
      <p class="heart-level">{word("level", stale ? "stale" : heart.level)}</p>
      <p class="heart-limit">
        {heart.ceiling_bpm > 0 && <span>{t("coach.ceiling", { n: heart.ceiling_bpm })}</span>}
        {heart.max_bpm > 0 && <span>{t("coach.max", { n: heart.max_bpm })}</span>}
        <span>{word("source.of", heart.source)}</span>
      </p>
    </div>
  );
}
