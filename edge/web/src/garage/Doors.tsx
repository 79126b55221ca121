/** The access doors of a zone: locked or not, open or not, what the last card was told, and what is wrong. No names. */
import { ageWords } from "../lib/format";
import { known, say, t } from "../lib/i18n";
import type { DoorView, ZoneView } from "../types";
import type { Level } from "./words";

export function Doors({ zone, heldS }: { zone: ZoneView; heldS: number }) {
  if (zone.doors.length === 0) return null;
  return (
    <section class="panel zone-list">
      <h2>{t("zone.access")}</h2>
      <ul class="rows">
        {zone.doors.map((door) => (
          <li key={door.door} data-level={doorLevel(door)}>
            <strong>{say(door.name)}</strong>
            <span>{`${t(`door.${door.lock}`)} · ${leafWord(door)}`}</span>
            {door.trouble !== "" && <em>{troubleOf(door)}</em>}
            {door.last_ago_s !== null && (
              <small>{t("door.last", { what: answerWord(door.last), age: ageWords(door.last_ago_s + heldS) })}</small>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Forced is an act of somebody now; a wedge and a released door are worth a look. */
export function doorLevel(door: DoorView): Level {
  if (door.trouble === "forced") return "act";
  return door.trouble === "" && door.lock !== "released" ? "quiet" : "look";
}

export function leafWord(door: DoorView): string {
  if (door.open === null) return t("door.unheard");
  return t(door.open ? "door.open" : "door.shut");
}

export function troubleOf(door: DoorView): string {
  const key = known(`door.${door.trouble}`);
  return key ? t(key) : door.trouble;
}

/** What a card was answered, in words. */
export function answerWord(answer: string): string {
  const key = known(`card_answer.${answer}`);
  return key ? t(key) : answer;
}
