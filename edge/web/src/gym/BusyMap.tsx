/**
 * When to come: the week as a map of hours, darker and taller is busier, with words for those who do not read colours.
 * Visitors see fields of two hours and four levels; the coach sees hours, numbers, and what stood in line.
 */
import { useEffect, useState } from "preact/hooks";

import { nowMs } from "../lib/clock";
import { ageWords } from "../lib/format";
import { call } from "../lib/http";
import { say, t } from "../lib/i18n";
import type { GymView, UseWeek, UseWeekLine } from "../types";
import { cellsOf, levelOf, quietest, waitsOf, weekdayOf, type Cell } from "./busy";
import { shifted } from "./week";
import { word } from "./words";

const WEEKS = 4;
/** Site time is east of Greenwich by so much. */
const SITE_MS = 8 * 3_600_000;
const LEVELS = [0, 1, 2, 3] as const;
type Weekday = 0 | 1 | 2 | 3 | 4 | 5 | 6;

export function BusyMap({ gym, detailed = false }: { gym: GymView; detailed?: boolean }) {
  const week = useWeek(gym.business_day);
  const [chosen, setChosen] = useState("");
  if (!week) return null;
  const lines = week.items.filter((line) => chosen === "" || nameOf(line) === chosen);
  const rows = cellsOf(lines, detailed ? 1 : 2);
  const today = weekdayOf(gym.business_day);
  const hour = new Date(nowMs.value + SITE_MS).getUTCHours();
  const best = quietest(rows[today] ?? [], hour);
  const known = (rows[0]?.length ?? 0) > 0;
  return (
    <section class="panel busy" data-detailed={detailed}>
      <h2>{t("busy.title")}</h2>
      {!known && <p class="muted">{t("busy.none")}</p>}
      {known && (
        <>
          <label class="busy-where">
            {t("busy.where")}
            <select value={chosen} onChange={(event) => {
              setChosen(event.currentTarget.value);
            }}>
              <option value="">{t("busy.all")}</option>
              {week.items.map((line) => (
                <option key={nameOf(line)} value={nameOf(line)}>
                  {zoneName(gym, line)} · {word("kind", line.kind)}
                </option>
              ))}
            </select>
          </label>
          {best && <p class="busy-best">{t("busy.best", { from: best.from, to: best.to })}</p>}
          <Table rows={rows} today={today} detailed={detailed} />
          <Legend />
          <p class="muted">{t(detailed ? "busy.weeks.hours" : "busy.weeks", { n: WEEKS })}</p>
          {detailed && <WaitLine lines={lines} />}
        </>
      )}
    </section>
  );
}

function nameOf(line: UseWeekLine): string {
  return `${line.zone}/${line.kind}`;
}

function zoneName(gym: GymView, line: UseWeekLine): string {
  const zone = gym.zones.find((one) => one.zone === line.zone);
  return zone ? say(zone.name) : line.zone;
}

function Table({ rows, today, detailed }: { rows: Cell[][]; today: number; detailed: boolean }) {
  return (
    <div class="busy-scroll">
      <table>
        <thead>
          <tr>
            <td />
            {rows[0]?.map((cell) => (
              <th key={cell.from} scope="col">
                {cell.from}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, day) => (
            <tr key={day} data-today={day === today}>
              <th scope="row">{t(`busy.day.${day as Weekday}`)}</th>
              {row.map((cell) => (
                <Field key={cell.from} cell={cell} day={day} detailed={detailed} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Field({ cell, day, detailed }: { cell: Cell; day: number; detailed: boolean }) {
  const where = { day: t(`busy.day.${day as Weekday}`), from: cell.from, to: cell.to };
  if (cell.pct === null) {
    return (
      <td data-level="none">
        <span class="hidden">{t("busy.aria.none", where)}</span>
      </td>
    );
  }
  const level = levelOf(cell.pct);
  const words = t("busy.aria", { ...where, level: t(`busy.level.${level}`), n: cell.pct });
  return (
    <td data-level={level} title={words}>
      <span class="hidden">{words}</span>
      {detailed && <span aria-hidden="true">{cell.pct}</span>}
    </td>
  );
}

function Legend() {
  return (
    <ul class="busy-legend">
      {LEVELS.map((level) => (
        <li key={level}>
          <i data-level={level} aria-hidden="true" />
          {t(`busy.level.${level}`)}
        </li>
      ))}
      <li>
        <i data-level="none" aria-hidden="true" />
        {t("busy.level.none")}
      </li>
    </ul>
  );
}

function WaitLine({ lines }: { lines: readonly UseWeekLine[] }) {
  const sum = waitsOf([...lines]);
  return (
    <p class="busy-waits">
      {sum.workouts > 0 && (
        <span>{t("busy.turns", { n: sum.workouts, age: ageWords(sum.use_s), turns: sum.turns })}</span>
      )}
      <span>{sum.waits === 0 ? t("busy.no_waits") : t("busy.waits", { n: sum.waits, age: ageWords(sum.mean_s) })}</span>
      {sum.waits > 0 && <span>{t("busy.longest", { age: ageWords(sum.longest_s) })}</span>}
      <span>{t("busy.missed", { n: sum.no_shows })}</span>
      <span>{t("busy.turned", { n: sum.turned_away })}</span>
    </p>
  );
}

/** The weeks up to yesterday, read once for each business day: today is not over and would look quiet. */
function useWeek(day: string): UseWeek | null {
  const [week, setWeek] = useState<UseWeek | null>(null);
  useEffect(() => {
    call<UseWeek>(`/gym/use/week?last_day=${shifted(day, -1)}&weeks=${WEEKS}`)
      .then(setWeek)
      .catch(() => {
        setWeek(null);
      });
  }, [day]);
  return week;
}
