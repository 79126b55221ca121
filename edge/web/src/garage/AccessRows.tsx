/**
 * The journal of the doors, newest first, read in pages; for one door or all. When `news` changes the newest page is
 * read again and put on top, so that a person who has paged back keeps the place.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { dayTimeOfNs } from "../lib/format";
import { call, wordsOf } from "../lib/http";
import { known, t } from "../lib/i18n";
import { Newest } from "../lib/newest";
import { Fault } from "../parts/Fault";
import type { AccessEvent, AccessEventList } from "../types";
import { answerWord } from "./Doors";
import { nameOf } from "./names";
import type { Level } from "./words";

const PAGE = 25;
const LEVELS: Record<string, Level> = { denied: "look", held: "look", forced: "act", released: "act" };

export function AccessRows({ door, news }: { door: string; news: string }) {
  const [rows, setRows] = useState<readonly AccessEvent[]>([]);
  const [next, setNext] = useState<string | null>("");
  const [trouble, setTrouble] = useState<{ title: string; todo: string } | null>(null);
  const newest = useMemo(() => new Newest(), []);
  /** How often the list was begun anew. */
  const begun = useRef(0);
  const shown = useRef<readonly AccessEvent[]>([]);
  const read = (cursor: string): void => {
    // News drive away older news only; older lines are wanted as long as the list they continue is shown.
    const list = begun.current;
    const wanted = cursor === "" ? newest.ask() : () => list === begun.current;
    call<AccessEventList>(pathOf(door, cursor))
      .then((answer) => {
        if (!wanted()) return;
        setTrouble(null);
        const meets = cursor !== "" || meet(answer.items, shown.current);
        // So much news that lines between are missing: begin anew rather than hide a hole.
        const before = meets ? shown.current : [];
        if (!meets) begun.current += 1;
        shown.current = cursor === "" ? joined(answer.items, before) : joined(before, answer.items);
        setRows(shown.current);
        if (cursor !== "" || before.length === 0) setNext(answer.next_cursor);
      })
      .catch((error: unknown) => {
        if (wanted()) setTrouble(wordsOf(error));
      });
  };
  useEffect(() => {
    read("");
  }, [news]);
  return (
    <section class="panel access-journal" aria-label={t("access.journal")}>
      {trouble && <Fault title={trouble.title} todo={trouble.todo} />}
      {!trouble && next === null && rows.length === 0 && <p class="empty">{t("access.none")}</p>}
      <ol class="rows journal">
        {rows.map((row) => (
          <Line key={keyOf(row)} row={row} />
        ))}
      </ol>
      {next !== null && next !== "" && (
        <button
          type="button"
          onClick={() => {
            read(next);
          }}
        >
          {t("sessions.more")}
        </button>
      )}
    </section>
  );
}

function Line({ row }: { row: AccessEvent }) {
  const event = known(`access_event.${row.what}`);
  return (
    <li data-level={LEVELS[row.what] ?? "quiet"} data-what={row.what}>
      <time>{dayTimeOfNs(row.at_ns)}</time>
      <strong>{event ? t(event) : row.what}</strong>
      <span class="access-door">{nameOf(row.door)}</span>
      <span>{factsOf(row).join(" · ")}</span>
    </li>
  );
}

/** Why, whose card, and whether the box was sure of the time. */
function factsOf(row: AccessEvent): string[] {
  return [
    row.why === "" ? "" : answerWord(row.why),
    row.holder === "" ? "" : t("access.holder", { holder: row.holder }),
    row.card_end === "" ? "" : t("access.card_end", { end: row.card_end }),
    row.at_trusted ? "" : t("access.clock"),
  ].filter((fact) => fact !== "");
}

function pathOf(door: string, cursor: string): string {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (door !== "") query.set("door", door);
  if (cursor !== "") query.set("cursor", cursor);
  return `/garage/access/events?${query.toString()}`;
}

function keyOf(row: AccessEvent): string {
  return `${row.seq}.${row.door}.${row.what}`;
}

/** Whether no line can be missing between the newest page and what is shown already. */
function meet(newest: readonly AccessEvent[], older: readonly AccessEvent[]): boolean {
  const have = new Set(newest.map(keyOf));
  return older.some((row) => have.has(keyOf(row)));
}

/** `newer` before `older`, each line once. */
function joined(newer: readonly AccessEvent[], older: readonly AccessEvent[]): AccessEvent[] {
  const have = new Set(newer.map(keyOf));
  return [...newer, ...older.filter((row) => !have.has(keyOf(row)))];
}
