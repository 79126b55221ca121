/** Numbers as people read them. Money arrives in fen, mass in mg, energy in J, time in UTC ns; all are integers. */
import { lang, t } from "./i18n";

const NARROW_SPACE = "\u202f";
const MINUS = "\u2212";
const J_PER_KCAL = 4184;
/** Sodium to salt, as the traffic light of the box counts it. */
const SALT_PER_SODIUM = 2.5;

/** Digits in groups of three, from five digits on four-digit numbers stay whole. */
export function grouped(value: number): string {
  const digits = String(Math.abs(Math.round(value)));
  const text = digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, NARROW_SPACE);
  return value < 0 ? MINUS + text : text;
}

/** "15.30" of 1530 fen; a minus sign in front when negative. */
export function yuan(fen: number): string {
  const abs = Math.abs(fen);
  const text = `${grouped(Math.floor(abs / 100))}.${String(abs % 100).padStart(2, "0")}`;
  return fen < 0 ? MINUS + text : text;
}

/** "¥15.30", "−¥2.70". */
export function money(fen: number): string {
  return fen < 0 ? `${MINUS}¥${yuan(-fen)}` : `¥${yuan(fen)}`;
}

/** "120 g". */
export function grams(g: number): string {
  return `${grouped(g)} g`;
}

/** "24 g", "2.4 g", from mg; one decimal below 10 g. */
export function gramsOfMg(mg: number): string {
  const tenths = Math.round(mg / 100);
  return mg < 10_000 ? `${(tenths / 10).toFixed(1)} g` : `${grouped(Math.round(mg / 1000))} g`;
}

export function kilojoule(j: number): string {
  return `${grouped(Math.round(j / 1000))} kJ`;
}

export function kilocalories(j: number): string {
  return grouped(Math.round(j / J_PER_KCAL));
}

/** An amount of a nutrient with its unit: energy in kJ, sodium in mg, the rest in g. */
export function nutrientAmount(nutrient: string, amount: number): string {
  if (nutrient === "energy") return kilojoule(amount);
  return nutrient === "sodium" ? `${grouped(amount)} mg` : gramsOfMg(amount);
}

/** Salt in g with one decimal, of mg sodium. */
export function saltGrams(sodiumMg: number): string {
  return ((sodiumMg * SALT_PER_SODIUM) / 1000).toFixed(1);
}

const SHARES: readonly (readonly [number, Parameters<typeof t>[0]])[] = [
  [3, "share.hardly"],
  [8, "share.twentieth"],
  [15, "share.tenth"],
  [22, "share.fifth"],
  [29, "share.quarter"],
  [41, "share.third"],
  [58, "share.half"],
  [70, "share.two_thirds"],
  [87, "share.most"],
  [113, "share.day"],
];

/** How much of a day `pct` is, in words: "about a third of a day". */
export function shareWords(pct: number): string {
  const found = SHARES.find(([below]) => pct < below);
  return t(found ? found[1] : "share.more");
}

/**
 * The chance that every live plate was read, in percent, rounded down so that it never claims too much: "99.99" of a
 * bound of 2.5e-5 on the contrary.
 */
export function certaintyPct(missBound: number): string {
  const hundredths = Math.floor((1 - missBound) * 10_000 + 1e-7);
  return (Math.max(0, Math.min(hundredths, 9_999)) / 100).toFixed(2);
}

/** "one in N" of a small chance, N rounded to two digits; null when it is none. */
export function oneIn(chance: number): number | null {
  if (!(chance > 0)) return null;
  const n = 1 / chance;
  const step = 10 ** Math.max(0, Math.floor(Math.log10(n)) - 1);
  return Math.max(1, Math.round(n / step) * step);
}

const ZONE = "Asia/Shanghai";

function locale(): string {
  return lang.value === "zh" ? "zh-CN" : "en-GB";
}

/** "12:04" in Shanghai. */
export function clockTime(ms: number): string {
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: ZONE };
  return new Intl.DateTimeFormat(locale(), options).format(ms);
}

/** "2026年11月20日 星期五" / "Friday, 20 November 2026" of an ISO date. */
export function longDay(isoDay: string): string {
  const ms = Date.parse(`${isoDay}T12:00:00+08:00`);
  if (Number.isNaN(ms)) return isoDay;
  return new Intl.DateTimeFormat(locale(), { dateStyle: "full", timeZone: ZONE }).format(ms);
}

/** "11月20日 12:04" of UTC ns. */
export function dayTimeOfNs(ns: number): string {
  const options: Intl.DateTimeFormatOptions = {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    timeZone: ZONE,
  };
  return new Intl.DateTimeFormat(locale(), options).format(ns / 1e6);
}

/** "8 秒", "3 分钟", "2 小时" of seconds, for ages. */
export function ageWords(seconds: number): string {
  if (seconds < 120) return t("age.seconds", { n: Math.round(seconds) });
  if (seconds < 7200) return t("age.minutes", { n: Math.round(seconds / 60) });
  return t("age.hours", { n: Math.round(seconds / 3600) });
}
