/** How series are called on the page: words where there are some, else the names of the site file. */
import { known, t } from "../lib/i18n";
import type { HistorySeries } from "../types";
import { isZone, zoneName } from "./zones";

/** "功率" of power_w; the name itself where nobody gave it a word. */
export function quantityWord(quantity: string): string {
  const key = known(`quantity.${quantity}`);
  return key ? t(key) : quantity;
}

/** "B1-P03 · 功率". */
export function titleOf(series: HistorySeries): string {
  const place = isZone(series.key) ? zoneName(series.key) : series.point || series.device;
  return `${place} · ${quantityWord(series.quantity)}`;
}

/** A word of a state in the page's language. */
export function stateWord(word: string): string {
  const key = known(`state.${word}`);
  return key ? t(key) : word;
}

/** The last value as people read it, with its unit. */
export function lastWords(series: HistorySeries): string {
  if (isZone(series.key)) return "";
  if (series.kind === "state") return series.last_word === null ? t("history.never") : stateWord(series.last_word);
  return series.last_value === null ? t("history.never") : `${number(series.last_value)} ${series.unit}`.trim();
}

/** At most four digits that mean something. */
export function number(value: number): string {
  const size = Math.abs(value);
  const places = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4;
  return String(Number(value.toFixed(places))).replace("-", "\u2212");
}
