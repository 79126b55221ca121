/** One machine for those who mend it: hours, wear curve, service, lock-out, inspection by checklist. */
import { useEffect, useMemo, useState } from "preact/hooks";

import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { call } from "../lib/http";
import { say, t } from "../lib/i18n";
import { me } from "../lib/session";
import { Hold } from "../parts/Hold";
import type { AssetView, MaintenanceView, WearDayList } from "../types";
import { Inspections } from "./Inspections";
import { word } from "./words";

const DAYS = 120;

type Checklist = MaintenanceView["checklist"];

export function MachineUpkeep({ asset, checklist }: { asset: AssetView; checklist: Checklist }) {
  const act = useMemo(() => new Act("gym"), []);
  const at = `/assets/${encodeURIComponent(asset.asset)}`;
  const may = me.value?.role !== "read-only";
  return (
    <section class="panel machine-upkeep">
      <h2>
        {say(asset.name)} · {word("use", asset.use)}
      </h2>
      <p class="alarm-facts">
        {asset.hours_h !== null && <span>{t("upkeep.hours", { h: asset.hours_h })}</span>}
        {asset.distance_km !== null && <span>{t("upkeep.km", { km: asset.distance_km })}</span>}
        {asset.due.map((code) => (
          <em key={code}>{word("due", code)}</em>
        ))}
      </p>
      <Wear asset={asset.asset} />
      {may && (
        <div class="order-acts">
          <button
            type="button"
            class="act"
            disabled={act.state.value.at === "sent"}
            onClick={() => void act.send(`${at}/service`, {})}
          >
            <span>{t("upkeep.service")}</span>
            <small>{t("upkeep.service.does")}</small>
          </button>
          {asset.use !== "locked" && (
            <Hold class="act" onHeld={() => void act.send(`${at}/lock`, {})}>
              <strong>{t("upkeep.lock")}</strong> {t("upkeep.lock.does")}
            </Hold>
          )}
          <ActLine act={act} />
        </div>
      )}
      <Inspections asset={asset.asset} checklist={may ? checklist : []} />
    </section>
  );
}

const W = 600;
const H = 140;

/** What a machine did and drew, day by day. */
function Wear({ asset }: { asset: string }) {
  const [days, setDays] = useState<WearDayList["items"] | null>(null);
  useEffect(() => {
    call<WearDayList>(`/gym/assets/${encodeURIComponent(asset)}/days?limit=${DAYS}`)
      .then((answer) => {
        setDays([...answer.items].reverse());
      })
      .catch(() => {
        setDays([]);
      });
  }, [asset]);
  if (days === null) return null;
  return (
    <>
      <Measured days={days} />
      <Curve days={days} />
    </>
  );
}

/** The index of the motor's current day by day; 1 is as when it was new here. Days without one are gaps. */
function Curve({ days }: { days: WearDayList["items"] }) {
  const known = days.map((day, i) => [i, day.current_index] as const);
  const shown = known.filter((one): one is readonly [number, number] => one[1] !== null);
  const first = shown[0];
  if (!first) return <p class="muted">{t("upkeep.wear.none")}</p>;
  const high = Math.max(1.2, ...shown.map(([, value]) => value)) + 0.05;
  const x = (i: number): number => (W * (i - first[0])) / Math.max(1, days.length - 1 - first[0]);
  const y = (value: number): number => H - (H * (value - 0.8)) / (high - 0.8);
  const last = shown.at(-1)?.[1] ?? 1;
  return (
    <figure class="beats wear">
      <figcaption>
        {t("upkeep.wear.axis")}: <strong>{last.toFixed(2)}</strong>
      </figcaption>
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`${t("upkeep.wear")}: ${last.toFixed(2)}`}>
        <line class="beats-ceiling" x1="0" x2={W} y1={y(1)} y2={y(1)} />
        <polyline class="beats-line" points={shown.map(([i, value]) => `${x(i)},${y(value)}`).join(" ")} />
      </svg>
    </figure>
  );
}

/** Starts, and the last day with a current and with a temperature; `days` oldest first. */
function Measured({ days }: { days: WearDayList["items"] }) {
  const starts = days.reduce((sum, day) => sum + day.starts, 0);
  const current = days.filter((day) => day.peak_current_ma !== null).at(-1);
  const warm = days.filter((day) => day.peak_temperature_c !== null).at(-1);
  return (
    <p class="alarm-facts">
      {starts > 0 && <span>{t("upkeep.starts", { n: starts, d: days.length })}</span>}
      {current && (
        <span>{t("upkeep.current", { a: ((current.peak_current_ma ?? 0) / 1000).toFixed(1), day: current.day })}</span>
      )}
      {typeof current?.mean_current_ma === "number" && (
        <span>{t("upkeep.current.mean", { a: (current.mean_current_ma / 1000).toFixed(1) })}</span>
      )}
      {warm && <span>{t("upkeep.warmest", { c: Math.round(warm.peak_temperature_c ?? 0), day: warm.day })}</span>}
    </p>
  );
}
