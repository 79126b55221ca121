/** Charging sessions, newest first, read in pages; residents get their own only (the box sees to it). */
import { useEffect, useRef, useState } from "preact/hooks";

import { ageWords, dayTimeOfNs, grouped, money } from "../lib/format";
import { call, wordsOf } from "../lib/http";
import { t } from "../lib/i18n";
import { Fault } from "../parts/Fault";
import type { Session, SessionList } from "../types";
import { learnPorts, nameOf } from "./names";
import { whyOff } from "./words";

export function SessionRows({ limit, payer }: { limit: number; payer: boolean }) {
  const [rows, setRows] = useState<Session[]>([]);
  const [next, setNext] = useState<string | null>("");
  const [trouble, setTrouble] = useState<{ title: string; todo: string } | null>(null);
  const asking = useRef(false);
  const more = (cursor: string): void => {
    if (asking.current) return; // a second press would add the same lines again
    asking.current = true;
    const at = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    call<SessionList>(`/garage/sessions?limit=${limit}${at}`)
      .then((answer) => {
        setRows((before) => (cursor === "" ? answer.items : [...before, ...answer.items]));
        setNext(answer.next_cursor);
      })
      .catch((error: unknown) => {
        setTrouble(wordsOf(error));
      })
      .finally(() => {
        asking.current = false;
      });
  };
  useEffect(() => {
    void learnPorts();
    more("");
  }, []);
  if (trouble) return <Fault title={trouble.title} todo={trouble.todo} />;
  if (next === null && rows.length === 0) return <p class="empty">{t("sessions.none")}</p>;
  return (
    <>
      <ol class="session-rows">
        {rows.map((row) => (
          <li key={row.session_id}>
            <strong>{nameOf(row.port)}</strong>
            <time>{dayTimeOfNs(row.started_ns)}</time>
            <span>{row.ended_ns === 0 ? t("session.running") : whyOff(row.reason)}</span>
            <span>{ageWords(row.charging_s)}</span>
            <span>{grouped(row.energy_wh)} Wh</span>
            <span class="session-cost">{money(row.cost_fen)}</span>
            {payer && <small>{row.member}</small>}
          </li>
        ))}
      </ol>
      {next !== null && next !== "" && (
        <button
          type="button"
          onClick={() => {
            more(next);
          }}
        >
          {t("sessions.more")}
        </button>
      )}
    </>
  );
}
