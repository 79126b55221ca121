/** One person's week as the plots and the table show it. */
import type { MyDay, MyWeek } from "../types";

/** Whole minutes of seconds. */
export function minutes(seconds: number): number {
  return Math.round(seconds / 60);
}

/** The day `days` after an ISO day (before it, when negative). */
export function shifted(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Why no effort is told: judged by feeling, no maximum known, no pulse recorded; "" when it is told. */
export function silence(week: MyWeek): "rpe" | "no_zones" | "no_pulse" | "" {
  if (week.source === "rpe") return "rpe";
  if (week.moderate_bpm === 0) return "no_zones";
  return week.days.some((day) => day.pulse_s > 0) ? "" : "no_pulse";
}

/** Seconds of the whole week. */
export function sumOf(week: MyWeek, of: (day: MyDay) => number): number {
  return week.days.reduce((sum, day) => sum + of(day), 0);
}

/** Bars on top of each other: for each day the heights up to and including each part, the lowest part first. */
export function stacked(parts: readonly (readonly number[])[]): number[][] {
  const tops: number[][] = [];
  for (const part of parts) {
    const below = tops.at(-1);
    tops.push(part.map((value, day) => value + (below?.[day] ?? 0)));
  }
  return tops;
}
