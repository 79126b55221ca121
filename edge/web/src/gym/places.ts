/** A long list by place: 232 pieces in 63 compounds are walked compound by compound, never scrolled through as one. */
import type { RegisterItem, ZoneUse } from "../types";

/** Up to so many things are one plain list. */
export const FEW = 24;
/** Up to so many found things are shown at once, in their places. */
export const OPEN_AT_ONCE = 12;

export interface Place<T> {
  zone: string;
  items: readonly T[];
}

/** `items` by their zone, in the order of `zones`; what stands in a zone that is not known comes last. */
export function byPlace<T>(
  items: readonly T[],
  zoneOf: (item: T) => string,
  zones: readonly Pick<ZoneUse, "zone">[],
): Place<T>[] {
  const found = new Map<string, T[]>(zones.map((one) => [one.zone, []]));
  for (const item of items) {
    const zone = zoneOf(item);
    const here = found.get(zone);
    if (here) here.push(item);
    else found.set(zone, [item]);
  }
  return [...found].filter(([, here]) => here.length > 0).map(([zone, here]) => ({ zone, items: here }));
}

/** What an order is about that falls due by itself: no defect (`edge/domain/gym/codes.py` OWED). */
const OWED = ["hours_due", "days_due", "inspection_due", "life_over", "counter_silent", "battery_low"];

export function isDefect(order: { cause: string; state: string }): boolean {
  return !OWED.includes(order.cause) || order.state === "locked_out";
}

export const TROUBLES = ["due", "defect", "locked", "silent"] as const;
export type Trouble = (typeof TROUBLES)[number];

/** What somebody has to do about a piece. */
export function troublesOf(item: RegisterItem, today: string): Trouble[] {
  const found: Trouble[] = [];
  if (item.inspection_due !== "" && item.inspection_due <= today) found.push("due");
  if (item.defects > 0) found.push("defect");
  if (item.locked_out) found.push("locked");
  if (item.counter_silent || (item.battery_pct !== null && item.battery_pct < BATTERY_LOW_PCT)) found.push("silent");
  return found;
}

/** As `edge/domain/gym/dues.py`. */
export const BATTERY_LOW_PCT = 15;

/** Whether what somebody typed is in a piece's place, name, number or maker, in whichever language. */
export function isFound(item: RegisterItem, typed: string): boolean {
  const words = typed.toLowerCase().split(/\s+/).filter((one) => one !== "");
  const names = [item.place.zh, item.place.en, item.name.zh, item.name.en];
  const text = [...names, item.asset, item.maker, item.model, item.serial].join("\n").toLowerCase();
  return words.every((one) => text.includes(one));
}
