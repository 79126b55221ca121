/** What the gym says in words. Codes that are newer than this page stay codes. */
import { ageWords } from "../lib/format";
import { known, t } from "../lib/i18n";
import type { AssetView, HeartView, KioskView } from "../types";
import type { GymBoard } from "./board";

/** The words of `code` under `prefix`, the code itself when this page knows none. */
export function word(prefix: string, code: string): string {
  const key = known(`${prefix}.${code}`);
  return key ? t(key) : code;
}

/** How a level asks for attention. What is not known is a thing to look at, never quiet. */
export type Tone = "quiet" | "look" | "act" | "dim";

const TONES: Record<string, Tone> = {
  ok: "quiet",
  off: "dim",
  unknown: "look",
  stale: "look",
  doubtful: "look",
  warn: "look",
  alarm: "act",
};

export function toneOf(heart: HeartView): Tone {
  return TONES[heart.level] ?? "look";
}

const USE_TONES: Record<string, Tone> = {
  free: "quiet",
  warm: "quiet",
  busy: "quiet",
  fault: "act",
  locked: "look",
  closed: "dim",
  unknown: "dim",
};

export function useTone(use: string): Tone {
  return USE_TONES[use] ?? "dim";
}

/** "noise: 7 km/h" with the first word in the page's language. */
export function detailOf(detail: string): string {
  const [what = "", ...rest] = detail.split(":");
  const key = known(`wrong.${what}`);
  return [key ? t(key) : what, ...rest].join(":");
}

/** "128/112 @ Treadmill 1": a detail "machine:what" of an alarm with the machine's name. */
export function detailWords(detail: string, board: GymBoard): string {
  const [asset = "", ...rest] = detail.split(":");
  const name = board.nameOf(asset);
  const what = rest.join(":").trim();
  if (name === asset && rest.length === 0) return detail;
  const pulse = /^(\d+)\/(\d+)$/.exec(what);
  const over = pulse ? t("coach.over", { bpm: pulse[1] ?? "", ceiling: pulse[2] ?? "" }) : detailOf(what);
  const plain = /^[\w-]+-\d+$/.test(over) ? "" : over;
  return plain === "" ? name : `${name} · ${plain}`;
}

export function gateWords(kiosk: KioskView): string {
  if (kiosk.person === "") return t("gate.nobody");
  if (kiosk.decision === "rest") return t("gate.rest", { left: ageWords(kiosk.rest_left_s) });
  return word("gate", kiosk.decision);
}

/** "12:05" of seconds, "1:02:05" from an hour on. */
export function duration(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** "850 m", "4.21 km". */
export function metres(m: number): string {
  return m < 1000 ? `${Math.round(m)} m` : `${(m / 1000).toFixed(2)} km`;
}

/** Machines of one kind under one name, for the queue. */
export function kindOf(asset: AssetView): string {
  return word("kind", asset.kind);
}
