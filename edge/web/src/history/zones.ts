/**
 * Zones as one curve each: what all outlets of a zone draw together. A zone stands among the series under a key of its
 * own, so that choosing, drawing and telling it works as for any other.
 */
import { call } from "../lib/http";
import { say, t } from "../lib/i18n";
import type { HistoryCurve, HistoryGroup, HistorySeries, HistoryZone, HistoryZones, Text } from "../types";

const PREFIX = "zone";
/** What adds up; a sum of voltages or temperatures says nothing. */
const SUMMED = new Set(["power_w", "current_a", "energy_wh"]);
/** Widths of windows, s: the narrowest that gives at most one window for every two pixels is taken. */
const WIDTHS = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21_600, 86_400];
/** A pause of less than this is no hole: a meter that seldom speaks. */
const HOLE_MS = 120_000;

interface Told {
  name: Text;
  members: number;
}

const told = new Map<string, Told>();

/** A zone's name in the page's language. */
export function zoneName(key: string): string {
  const known = told.get(key);
  return known ? say(known.name) : "";
}

/** "whole zone, 8 measured" */
export function zoneNote(key: string): string {
  return t("history.zone_of", { n: told.get(key)?.members ?? 0 });
}

export function isZone(key: string): boolean {
  return key.startsWith(`${PREFIX}:`);
}

/** The zones of one part of the box, as if they were series. */
export async function zonesOf(vertical: string): Promise<HistorySeries[]> {
  const found = await call<HistoryZones>(`/history/zones?vertical=${encodeURIComponent(vertical)}`);
  return found.items.flatMap(seriesOf);
}

function seriesOf(zone: HistoryZone): HistorySeries[] {
  return zone.quantities
    .filter((one) => SUMMED.has(one.quantity))
    .map((one) => {
      const key = [PREFIX, zone.vertical, zone.zone, one.quantity].map(encodeURIComponent).join(":");
      told.set(key, { name: zone.name, members: one.members });
      return {
        key,
        vertical: zone.vertical,
        device: zone.name.zh,
        point: zone.name.en,
        quantity: one.quantity,
        unit: one.unit,
        kind: "number",
        last_ms: null,
        last_value: null,
        last_word: null,
        last_quality: 0,
      };
    });
}

/** The sum over the zone in windows, each at its middle; the line breaks where nothing was measured. */
export async function zoneCurve(
  series: HistorySeries,
  beginMs: number,
  endMs: number,
  pixels: number,
): Promise<HistoryCurve> {
  const [, vertical = "", zone = "", quantity = ""] = series.key.split(":");
  const most = Math.max(1, pixels / 2);
  const width = WIDTHS.find((one) => (endMs - beginMs) / (one * 1000) <= most) ?? 86_400;
  const span = `begin_ms=${Math.round(beginMs)}&end_ms=${Math.round(endMs)}&window_s=${width}`;
  const group = await call<HistoryGroup>(
    `/history/zone?vertical=${vertical}&zone=${zone}&quantity=${quantity}&${span}`,
  );
  const hole = Math.max(2 * width * 1000, HOLE_MS);
  const curve: HistoryCurve = { series, resolution_s: width, words: [], time_ms: [], value: [] };
  group.begin_ms.forEach((at, i) => {
    const before = group.begin_ms[i - 1];
    if (before !== undefined && at - before > hole) {
      curve.time_ms.push(before + width * 1000);
      curve.value.push(null);
    }
    curve.time_ms.push(at + width * 500);
    curve.value.push(group.total[i] ?? null);
  });
  return curve;
}
