/** The hours of the week and the bars of a day, by hand-made figures. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { cellsOf, levelOf, quietest, waitsOf, weekdayOf } from "../src/gym/busy";
import { shifted, silence, stacked } from "../src/gym/week";
import type { MyWeek, UseWeekLine } from "../src/types";

function line(machines: number, hours: Record<number, number>, more: Partial<UseWeekLine> = {}): UseWeekLine {
  const busy_pct = Array.from({ length: 168 }, (_, hour) => hours[hour] ?? null);
  return {
    zone: "hall", kind: "bike", machines, busy_pct, workouts: 0, mean_use_s: null, turns_per_h: null, waits: 0,
    mean_wait_s: null, longest_wait_s: null, no_shows: 0, turned_away: 0, ...more,
  };
}

void test("a field is the mean over its hours and every machine counts once", () => {
  const rows = cellsOf([line(1, { 8: 100, 9: 50 }), line(3, { 8: 20, 9: 20 })], 2);
  assert.deepEqual(rows[0], [{ from: 8, to: 10, pct: 34 }]);
  assert.deepEqual(rows[1], [{ from: 8, to: 10, pct: null }], "not measured is not empty");
});

void test("the map begins and ends where something is open, in whole steps", () => {
  const rows = cellsOf([line(1, { 7: 10, [24 + 22]: 30 })], 2);
  assert.equal(rows.length, 7);
  assert.deepEqual([rows[0]?.[0]?.from, rows[0]?.at(-1)?.to], [6, 24]);
  assert.equal(cellsOf([line(1, {})], 1)[0]?.length, 0);
});

void test("the quietest hours are those still to come", () => {
  const [row = []] = cellsOf([line(1, { 6: 5, 7: 40, 8: 20, 9: 90 })], 1);
  assert.equal(quietest(row, 5)?.from, 6);
  assert.equal(quietest(row, 7)?.from, 8);
  assert.equal(quietest(row, 10), null);
});

void test("levels have words at every share", () => {
  assert.deepEqual([0, 29, 30, 59, 60, 84, 85, 100].map(levelOf), [0, 0, 1, 1, 2, 2, 3, 3]);
});

void test("waits are a mean of people, not of rooms", () => {
  const few = line(1, {}, { waits: 1, mean_wait_s: 500, longest_wait_s: 500 });
  const sum = waitsOf([line(1, {}, { waits: 3, mean_wait_s: 100, longest_wait_s: 160, no_shows: 1 }), few]);
  assert.deepEqual([sum.waits, sum.mean_s, sum.longest_s, sum.no_shows, sum.turned_away], [4, 200, 500, 1, 0]);
  assert.equal(waitsOf([]).mean_s, 0);
});

void test("turns are a mean of machines, uses a mean of workouts", () => {
  const many = line(6, {}, { workouts: 30, mean_use_s: 600, turns_per_h: 0.5 });
  const sum = waitsOf([many, line(2, {}, { workouts: 10, mean_use_s: 1000, turns_per_h: 1.5 }), line(9, {})]);
  assert.deepEqual([sum.workouts, sum.use_s, sum.turns], [40, 700, 0.75]);
});

void test("a week begins on Monday and goes over the end of a month", () => {
  assert.deepEqual([weekdayOf("2026-11-20"), weekdayOf("2026-11-22"), weekdayOf("2026-11-23")], [4, 6, 0]);
  assert.equal(shifted("2026-03-01", -1), "2026-02-28");
});

void test("bars stand on each other", () => {
  assert.deepEqual(stacked([[1, 0], [2, 5], [0, 1]]), [[1, 0], [3, 5], [3, 6]]);
});

void test("why no effort is told", () => {
  const day = { day: "2026-11-20", workouts: 1, active_s: 60, distance_m: 0, energy_kcal: 0, pulse_s: 0, light_s: 0,
    moderate_s: 0, vigorous_s: 0, over_s: 0 };
  const week: MyWeek = { person: "m001", source: "table", ceiling_bpm: 100, max_bpm: 140, moderate_bpm: 90,
    vigorous_bpm: 108, days: [day] };
  assert.equal(silence(week), "no_pulse");
  assert.equal(silence({ ...week, days: [{ ...day, pulse_s: 5 }] }), "");
  assert.equal(silence({ ...week, source: "rpe", moderate_bpm: 0 }), "rpe");
  assert.equal(silence({ ...week, moderate_bpm: 0 }), "no_zones");
});
