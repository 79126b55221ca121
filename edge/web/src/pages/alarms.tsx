/** /garage/alarms: every open alarm with its four acts; the journal; how well the alarms serve. */
import { useEffect, useMemo, useState } from "preact/hooks";

import "../styles/garage.css";
import { AlarmCard } from "../garage/AlarmCard";
import { Board } from "../garage/board";
import { GarageFrame, Guarded, WATCH_ROLES } from "../garage/frame";
import { dayTimeOfNs } from "../lib/format";
import { call, wordsOf } from "../lib/http";
import { known, t } from "../lib/i18n";
import { Fault } from "../parts/Fault";
import { mount } from "../parts/mount";
import type { AlarmEventList, AlarmKpi } from "../types";

type Tab = "open" | "journal" | "report";
const TABS = ["open", "journal", "report"] as const;

function Page() {
  return (
    <Guarded topic="alarms" title={t("alarms.title")} roles={WATCH_ROLES}>
      <Alarms />
    </Guarded>
  );
}

function Alarms() {
  const board = useMemo(() => new Board(["garage", "alarms", "zone/"]), []);
  const [tab, setTab] = useState<Tab>("open");
  const view = board.alarms.value;
  return (
    <GarageFrame board={board} topic="alarms" title={t("alarms.title")}>
      <div class="alarms-page" data-stale={board.live.state.value !== "live"}>
        <div class="tabs" role="group" aria-label={t("alarms.title")}>
          {TABS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === tab}
              onClick={() => {
                setTab(one);
              }}
            >
              {t(`alarms.${one}_tab`)}
            </button>
          ))}
        </div>
        {view?.flood === true && <p class="flood">{t("alarms.flood")}</p>}
        {tab === "journal" && <Journal />}
        {tab === "report" && <Report />}
        {tab === "open" && view?.alarms.length === 0 && <p class="empty">{t("alarms.none")}</p>}
        {tab === "open" && view && (
          <ul class="alarm-list">
            {view.alarms.map((alarm) => {
              const zone = board.zones.value.find((one) => one.zone === alarm.zone);
              return <AlarmCard key={alarm.alarm_id} alarm={alarm} zone={zone} acts />;
            })}
          </ul>
        )}
      </div>
    </GarageFrame>
  );
}

interface Answer<T> {
  answer: T | null;
  trouble: { title: string; todo: string } | null;
}

/** Reads `path` once; the answer, or the words of what went wrong. */
function useAnswer<T>(path: string): Answer<T> {
  const [answer, setAnswer] = useState<T | null>(null);
  const [trouble, setTrouble] = useState<{ title: string; todo: string } | null>(null);
  useEffect(() => {
    call<T>(path)
      .then(setAnswer)
      .catch((error: unknown) => {
        setTrouble(wordsOf(error));
      });
  }, [path]);
  return { answer, trouble };
}

function Journal() {
  const { answer, trouble } = useAnswer<AlarmEventList>("/garage/alarms/events?limit=100");
  if (trouble) return <Fault title={trouble.title} todo={trouble.todo} />;
  if (answer?.items.length === 0) return <p class="empty">{t("journal.none")}</p>;
  return (
    <ol class="rows journal">
      {answer?.items.map((line) => {
        const event = known(`event.${line.event}`);
        return (
          <li key={`${line.at_ns}.${line.alarm_id}.${line.event}.${line.detail}`}>
            <time>{dayTimeOfNs(line.at_ns)}</time>
            <strong>{event ? t(event) : line.event}</strong>
            <span>{line.detail}</span>
            <small>{line.by}</small>
          </li>
        );
      })}
    </ol>
  );
}

function Report() {
  const { answer, trouble } = useAnswer<AlarmKpi>("/garage/alarms/report?hours=24");
  if (trouble) return <Fault title={trouble.title} todo={trouble.todo} />;
  if (!answer) return null;
  const rows: [string, string, string][] = [
    [t("kpi.rate"), answer.per_hour_per_operator.toFixed(2), t("kpi.rate.aim")],
    [t("kpi.peak"), String(answer.peak_hour), t("kpi.peak.aim")],
    [t("kpi.flood"), `${answer.flood_pct} %`, t("kpi.flood.aim")],
    [t("kpi.stale"), String(answer.stale.length), t("kpi.stale.aim")],
    [
      t("kpi.shares"),
      `${answer.share_low_pct} / ${answer.share_medium_pct} / ${answer.share_high_pct} %`,
      t("kpi.shares.aim"),
    ],
    [t("kpi.wait"), answer.mean_ack_wait_s === null ? "—" : `${answer.mean_ack_wait_s} s`, t("kpi.wait.aim")],
  ];
  return (
    <table class="kpi">
      <caption>{t("kpi.title", { n: answer.hours })}</caption>
      <thead>
        <tr>
          <th scope="col">{t("kpi.what")}</th>
          <th scope="col">{t("kpi.now")}</th>
          <th scope="col">{t("kpi.aim")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, value, aim]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{value}</td>
            <td>{aim}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

mount(Page, "page.alarms");
