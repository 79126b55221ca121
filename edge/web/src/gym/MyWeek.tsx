/** My week: minutes, distance, energy and effort a day; the numbers as a table for whoever reads no plots. */
import { ChevronLeft, ChevronRight } from "lucide";
import { useEffect, useMemo, useState } from "preact/hooks";

import { call, wordsOf } from "../lib/http";
import { lang, t } from "../lib/i18n";
import { Newest } from "../lib/newest";
import { Fault } from "../parts/Fault";
import { Icon } from "../parts/Icon";
import type { MyDay, MyWeek as Week } from "../types";
import { weekdayOf } from "./busy";
import { DayBars } from "./DayBars";
import { minutes, shifted, silence, sumOf } from "./week";
import { duration } from "./words";

const STEP = 7;
type Weekday = 0 | 1 | 2 | 3 | 4 | 5 | 6;

interface Props {
  /** "" for the own. */
  person: string;
  today: string;
}

export function MyWeek({ person, today }: Props) {
  const [last, setLast] = useState(today);
  const { week, trouble } = useWeek(person, last);
  if (trouble) return <Fault title={trouble.title} todo={trouble.todo} />;
  if (!week) return null;
  return (
    <section class="panel my-week">
      <h2>{person === "" ? t("week.title") : t("week.of", { person })}</h2>
      <nav class="week-nav" aria-label={t("week.title")}>
        <button type="button" onClick={() => {
          setLast(shifted(last, -STEP));
        }}>
          <Icon of={ChevronLeft} />
          {t("week.before")}
        </button>
        <span>{t("week.range", { from: shortDay(shifted(last, 1 - STEP)), to: shortDay(last) })}</span>
        <button type="button" disabled={last >= today} onClick={() => {
          setLast(shifted(last, STEP));
        }}>
          {t("week.after")}
          <Icon of={ChevronRight} />
        </button>
      </nav>
      {sumOf(week, (day) => day.workouts) === 0 ? <p class="empty">{t("week.none")}</p> : <Plots week={week} />}
    </section>
  );
}

function Plots({ week }: { week: Week }) {
  const days = week.days.map((one) => t(`busy.day.${weekdayOf(one.day) as Weekday}`));
  const bars = (of: (day: MyDay) => number) => [{ name: "", colour: "--action", values: week.days.map(of) }];
  return (
    <>
      <DayBars title={t("week.minutes")} days={days} parts={bars((one) => minutes(one.active_s))} />
      <Effort week={week} days={days} />
      {sumOf(week, (one) => one.distance_m) > 0 && (
        <DayBars title={t("week.distance")} days={days} digits={1} parts={bars((one) => one.distance_m / 1000)} />
      )}
      {sumOf(week, (one) => one.energy_kcal) > 0 && (
        <DayBars title={t("week.energy")} days={days} parts={bars((one) => one.energy_kcal)} />
      )}
      <Numbers week={week} />
    </>
  );
}

function Effort({ week, days }: { week: Week; days: readonly string[] }) {
  const why = silence(week);
  if (why !== "") return <p class="muted">{t(`week.${why}`)}</p>;
  const values = (of: (day: MyDay) => number): number[] => week.days.map((one) => minutes(of(one)));
  const parts = [
    {
      name: t("week.below", { word: t("week.light"), bpm: week.moderate_bpm }),
      colour: "--effort-light",
      values: values((one) => one.light_s),
    },
    {
      name: t("week.from", { word: t("week.moderate"), bpm: week.moderate_bpm }),
      colour: "--effort-moderate",
      values: values((one) => one.moderate_s),
    },
    {
      name: t("week.from", { word: t("week.vigorous"), bpm: week.vigorous_bpm }),
      colour: "--effort-vigorous",
      values: values((one) => one.vigorous_s),
    },
  ];
  const hard = minutes(sumOf(week, (one) => one.moderate_s + one.vigorous_s));
  const over = sumOf(week, (one) => one.over_s);
  return (
    <>
      <DayBars title={t("week.effort")} days={days} parts={parts} />
      <p class="week-goal">{t("week.goal", { n: hard })}</p>
      {over > 0 && <p class="unsigned">{t("week.over", { t: duration(over) })}</p>}
    </>
  );
}

function Numbers({ week }: { week: Week }) {
  const [open, setOpen] = useState(false);
  const effort = silence(week) === "";
  const heads = [t("week.day"), t("week.minutes"), t("week.distance"), t("week.energy")];
  if (effort) heads.push(t("week.light"), t("week.moderate"), t("week.vigorous"));
  return (
    <details
      class="week-numbers"
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>{t("week.numbers")}</summary>
      {open && <div class="busy-scroll">
        <table>
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {week.days.map((one) => (
              <tr key={one.day}>
                <th scope="row">{shortDay(one.day)}</th>
                {cellsOf(one, effort).map((cell, i) => (
                  <td key={i}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>}
    </details>
  );
}

function cellsOf(one: MyDay, effort: boolean): string[] {
  const cells = [String(minutes(one.active_s)), (one.distance_m / 1000).toFixed(2), one.energy_kcal.toFixed(0)];
  if (effort) cells.push(...[one.light_s, one.moderate_s, one.vigorous_s].map((s) => String(minutes(s))));
  return cells;
}

/** "11月20日", "20 Nov" of an ISO day. */
function shortDay(day: string): string {
  const options: Intl.DateTimeFormatOptions = { month: "short", day: "numeric", timeZone: "UTC" };
  const locale = lang.value === "zh" ? "zh-CN" : "en-GB";
  return new Intl.DateTimeFormat(locale, options).format(Date.parse(`${day}T00:00:00Z`));
}

interface Read {
  week: Week | null;
  trouble: { title: string; todo: string } | null;
}

function useWeek(person: string, last: string): Read {
  const [week, setWeek] = useState<Week | null>(null);
  const [trouble, setTrouble] = useState<{ title: string; todo: string } | null>(null);
  const asked = useMemo(() => new Newest(), []);
  useEffect(() => {
    const wanted = asked.ask();
    const whose = person === "" ? "" : `&person=${encodeURIComponent(person)}`;
    call<Week>(`/gym/week?last_day=${last}${whose}`)
      .then((found) => {
        if (wanted()) setWeek(found);
      })
      .catch((error: unknown) => {
        if (wanted()) setTrouble(wordsOf(error));
      });
  }, [person, last]);
  return { week, trouble };
}
