/** What the garage says in words: states, causes, sources, proofs. Codes that are newer than this page stay codes. */
import { ageWords } from "../lib/format";
import { known, t } from "../lib/i18n";
import type { AlarmView, OutputView, PortView, SourceView, ZoneState, ZoneView } from "../types";
import { nameOf } from "./names";

/** How a state asks for attention; colour, icon and place follow it. */
export type Level = "quiet" | "look" | "act" | "fire";

export function levelOf(state: ZoneState): Level {
  switch (state) {
    case "normal":
      return "quiet";
    case "watch":
      return "look";
    case "pre_alarm":
    case "latched":
    case "resettable":
      return "act";
    case "fire":
      return "fire";
  }
}

const GRAVITY: Record<ZoneState, number> = { fire: 0, pre_alarm: 1, latched: 2, resettable: 3, watch: 4, normal: 5 };

/** Worst first; equals stay in the order of their names. */
export function byGravity(a: ZoneView, b: ZoneView): number {
  return GRAVITY[a.state] - GRAVITY[b.state] || a.zone.localeCompare(b.zone);
}

/** A code with its subject ("smoke:B1-smoke-3") or a subject alone in words, with the subject's name. */
export function reasonWords(reason: string, zone?: ZoneView): string {
  const [code = "", ...rest] = reason.split(":");
  const key = known(`cause.${code}`) ?? known(`lost.${code}`);
  const subject = nameOf(rest.join(":"), zone);
  const word = key ? t(key) : nameOf(code, zone);
  return subject === "" ? word : `${word} · ${subject}`;
}

/** What a reset still waits for. */
export function blockWords(block: string, zone: ZoneView): string {
  const [code = "", subject = ""] = block.split(":");
  const left = zone.clear_in_s;
  if (code === "clear_for") return left === null ? t("block.clear") : t("block.clear_in", { s: left });
  const key = known(`block.${code}`);
  return key ? t(key, { name: nameOf(subject, zone) }) : block;
}

/** How long a zone has been in its state, by the box's own clock and the age of the view. */
export function sinceS(zone: ZoneView, heldS: number): number {
  return Math.max(0, (zone.at_wall_ns - zone.since_wall_ns) / 1e9) + heldS;
}

/** A state in words; "chargers off" is not said while a contact is known to hold. */
export function zoneWord(zone: ZoneView): string {
  const holds = zone.cut === "unproven" || zone.cut === "welded";
  if (holds && (zone.state === "pre_alarm" || zone.state === "latched")) return t(`zone.${zone.state}_unproven`);
  return t(`zone.${zone.state}`);
}

const DOUBTS: Partial<Record<SourceView["state"], string>> = {
  stale: "sensor_stale",
  absent: "sensor_absent",
  fault: "sensor_fault",
};

/** Why a zone is what it is: what latched it, else the sensors that make it doubtful. */
export function reasonsOf(zone: ZoneView): readonly string[] {
  if (zone.reasons.length > 0 || zone.state !== "watch") return zone.reasons;
  return zone.sources.flatMap((source) => {
    const doubt = DOUBTS[source.state];
    return doubt === undefined ? [] : [`${doubt}:${source.source}`];
  });
}

export function causeWord(alarm: AlarmView): string {
  const key = known(`cause.${alarm.cause}`);
  return key ? t(key) : alarm.cause;
}

export function alarmState(alarm: AlarmView): string {
  if (alarm.state === "shelved") return t("alarm.shelved", { left: ageWords(alarm.shelved_left_s) });
  const key = known(`alarm.${alarm.state}`);
  const word = key ? t(key) : alarm.state;
  const why = whyHidden(alarm.hidden_by);
  return why === "" ? word : t("alarm.why", { what: word, why });
}

/** Why an alarm is suppressed by design ("design:<code>:<day>"), "" for another reason. */
function whyHidden(by: string): string {
  const [root, code = "", day = ""] = by.split(":");
  const key = root === "design" ? known(`design.${code}`) : null;
  return key ? t(key, { day }) : "";
}

/** Somebody, or the site file, has put it aside: it lasts, and nobody is called. */
export function isAside(alarm: AlarmView): boolean {
  return ["shelved", "suppressed", "out_of_service"].includes(alarm.state);
}

/** What a charger does, for people; why it was switched off, where that matters more. */
export function portWord(port: PortView): string {
  if (port.cut === "welded") return t("port.welded");
  if (port.cut === "unproven") return t("port.unproven");
  if (port.phase === "tripped" || !port.armed) return t("port.off");
  if (port.queue > 0) return t("port.queue", { n: port.queue });
  return t(`phase.${port.phase}`);
}

/** The level of a charger: what must be looked at stands out, the rest is quiet. */
export function portLevel(port: PortView): Level {
  if (port.cut === "welded" || port.cut === "unproven") return "act";
  if (port.phase === "suspect" || port.fault !== "") return "look";
  return "quiet";
}

/** Why an outlet was switched off, "" for no reason. */
export function whyOff(reason: string): string {
  if (reason === "") return "";
  const key = known(`why_off.${reason.split(":")[0] ?? ""}`);
  return key ? t(key) : reason;
}

/** What is wrong with a switch, by its own word or by the proof that failed. */
export function troubleWord(fault: string): string {
  const key = known(`trouble.${fault}`);
  return key ? t(key) : fault;
}

/** Sources that speak of no fire: a door that stands open is no alarm by itself. */
const CALM_KINDS: readonly string[] = ["door_open", "key_switch", "flow", "pressure", "tamper"];

export function sourceLevel(source: SourceView): Level {
  if (source.state === "active") return CALM_KINDS.includes(source.kind) ? "look" : "act";
  return source.state === "clear" ? "quiet" : "look";
}

export function sourceWord(source: SourceView, heldS: number): string {
  const calm = source.state === "active" ? known(`source.active.${source.kind}`) : null;
  const word = t(calm ?? `source.${source.state}`);
  if (source.heard_ago_s === null) return `${word} · ${t("source.never")}`;
  return `${word} · ${t("source.heard", { age: ageWords(source.heard_ago_s + heldS) })}`;
}

/** An output whose contact holds needs somebody there; one that disagrees with its order, a look. */
export function outputLevel(output: OutputView): Level {
  if (output.cut === "welded" || output.cut === "unproven") return "act";
  return output.fault !== "" || output.on !== output.wanted ? "look" : "quiet";
}

/** What an output was told and what it says of itself. */
export function outputWord(output: OutputView): string {
  if (output.kind === "contactor" && output.cut !== "none") return t(`cut.${output.cut}`);
  const says = output.on === null ? t("output.silent") : t(`output.${output.kind}.${output.on ? "on" : "off"}`);
  return output.on === null || output.on === output.wanted ? says : `${says} · ${t("output.differs")}`;
}
