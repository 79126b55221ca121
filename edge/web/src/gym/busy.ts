/** The hours of the week: how busy each was, and when to come. */
import type { UseWeek, UseWeekLine } from "../types";

export const WEEKDAYS = 7;
const DAY_H = 24;

/** Mean share in use of some hours, per cent; null: closed or not measured. */
export interface Cell {
  from: number;
  to: number;
  pct: number | null;
}

/** 0 quiet, 1 steady, 2 busy, 3 full. */
export type Level = 0 | 1 | 2 | 3;

export function levelOf(pct: number): Level {
  return pct < 30 ? 0 : pct < 60 ? 1 : pct < 85 ? 2 : 3;
}

/** One row of cells for each day, Monday first, `step` hours each, over all of `lines`: every machine counts once. */
export function cellsOf(lines: readonly UseWeekLine[], step: number): Cell[][] {
  const [first, last] = spanOf(lines, step);
  return Array.from({ length: WEEKDAYS }, (_, day) => {
    const row: Cell[] = [];
    for (let hour = first; hour < last; hour += step) {
      row.push({ from: hour, to: hour + step, pct: meanOf(lines, day * DAY_H + hour, step) });
    }
    return row;
  });
}

/** The hours in which anything is ever open, in whole steps. */
function spanOf(lines: readonly UseWeekLine[], step: number): [number, number] {
  const open = Array.from({ length: DAY_H }, (_, hour) => hour).filter((hour) =>
    lines.some((line) => line.busy_pct.some((pct, at) => at % DAY_H === hour && pct !== null)),
  );
  const first = open[0];
  if (first === undefined) return [0, 0];
  return [Math.floor(first / step) * step, Math.ceil(((open.at(-1) ?? first) + 1) / step) * step];
}

function meanOf(lines: readonly UseWeekLine[], from: number, step: number): number | null {
  let sum = 0;
  let machines = 0;
  for (const line of lines) {
    for (const pct of line.busy_pct.slice(from, from + step)) {
      if (pct === null) continue;
      sum += pct * line.machines;
      machines += line.machines;
    }
  }
  return machines === 0 ? null : Math.round(sum / machines);
}

/** The quietest cell of a day that is not over at `hour`; null without any. */
export function quietest(row: readonly Cell[], hour: number): Cell | null {
  return row
    .filter((cell) => cell.pct !== null && cell.to > hour)
    .reduce<Cell | null>((best, cell) => (best === null || (cell.pct ?? 0) < (best.pct ?? 0) ? cell : best), null);
}

/** Monday 0 of an ISO day. */
export function weekdayOf(day: string): number {
  return (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % WEEKDAYS;
}

/** What was used, and what stood in line, over all of `lines`. */
export interface Waits {
  workouts: number;
  use_s: number;
  turns: number;
  waits: number;
  mean_s: number;
  longest_s: number;
  no_shows: number;
  turned_away: number;
}

export function waitsOf(lines: UseWeek["items"]): Waits {
  const sum = { workouts: 0, waits: 0, longest_s: 0, no_shows: 0, turned_away: 0 };
  let waited = 0;
  let used = 0;
  let turned = 0;
  let machines = 0;
  for (const line of lines) {
    sum.workouts += line.workouts;
    sum.waits += line.waits;
    used += line.workouts * (line.mean_use_s ?? 0);
    waited += line.waits * (line.mean_wait_s ?? 0);
    sum.longest_s = Math.max(sum.longest_s, line.longest_wait_s ?? 0);
    if (line.turns_per_h !== null) {
      turned += line.turns_per_h * line.machines;
      machines += line.machines;
    }
    sum.no_shows += line.no_shows;
    sum.turned_away += line.turned_away;
  }
  const mean = (all: number, n: number): number => (n === 0 ? 0 : Math.round(all / n));
  const turns = machines === 0 ? 0 : Math.round((100 * turned) / machines) / 100;
  return { ...sum, use_s: mean(used, sum.workouts), turns, mean_s: mean(waited, sum.waits) };
}
