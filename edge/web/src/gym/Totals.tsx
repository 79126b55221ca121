/** What was done: large numbers with their units; what does not apply is left out. */
import { t } from "../lib/i18n";
import type { TotalsView } from "../types";
import { duration, metres } from "./words";

type Some = Partial<Pick<TotalsView, "mean_power_w" | "mean_bpm" | "peak_bpm">> &
  Pick<TotalsView, "active_s" | "distance_m" | "energy_kcal" | "climb_m" | "reps" | "strokes">;

export function Totals({ of, speed = null }: { of: Some; speed?: number | null }) {
  const rows: [string, string][] = [[t("total.time"), duration(of.active_s)]];
  if (of.distance_m > 0) rows.push([t("total.distance"), metres(of.distance_m)]);
  if (speed !== null) rows.push([t("total.speed"), `${speed.toFixed(1)} km/h`]);
  if (of.energy_kcal >= 1) rows.push([t("total.energy"), `${Math.round(of.energy_kcal)} kcal`]);
  if (of.climb_m >= 1) rows.push([t("total.climb"), metres(of.climb_m)]);
  if (of.reps > 0) rows.push([t("total.reps"), String(of.reps)]);
  if (of.strokes >= 1) rows.push([t("total.strokes"), String(Math.round(of.strokes))]);
  if (of.mean_power_w) rows.push([t("total.power"), `${Math.round(of.mean_power_w)} W`]);
  if (of.mean_bpm) rows.push([t("total.pulse"), String(Math.round(of.mean_bpm))]);
  if (of.peak_bpm) rows.push([t("total.peak"), String(of.peak_bpm)]);
  return (
    <dl class="totals">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
