/** The beats that caused an alarm, as a small curve with the ceiling: read from the workout's own row. */
import { useEffect, useState } from "preact/hooks";

import { call } from "../lib/http";
import { t } from "../lib/i18n";
import type { HeartAlarm, WorkoutDetail } from "../types";

const W = 300;
const H = 90;
const RE_READ_MS = 10_000;

/** The last alarm or warning of the workout `id`; read again while the page is open. */
export function Beats({ id, level }: { id: string; level: string }) {
  const [alarm, setAlarm] = useState<HeartAlarm | null>(null);
  useEffect(() => {
    const read = (): void => {
      call<WorkoutDetail>(`/gym/workouts/${encodeURIComponent(id)}`)
        .then((detail) => {
          setAlarm(detail.heart_alarms.at(-1) ?? null);
        })
        .catch(() => null);
    };
    read();
    const timer = window.setInterval(read, RE_READ_MS);
    return () => {
      window.clearInterval(timer);
    };
  }, [id, level]);
  if (!alarm || alarm.samples.length === 0) return null;
  return <BeatsPlot alarm={alarm} />;
}

function BeatsPlot({ alarm }: { alarm: HeartAlarm }) {
  const samples = alarm.samples;
  const oldest = Math.max(1000, ...samples.map(([age]) => age));
  const low = Math.min(alarm.ceiling_bpm, ...samples.map(([, bpm]) => bpm)) - 6;
  const high = Math.max(alarm.ceiling_bpm, ...samples.map(([, bpm]) => bpm)) + 6;
  const x = (age: number): number => W - (W * age) / oldest;
  const y = (bpm: number): number => H - (H * (bpm - low)) / (high - low);
  const last = samples.at(-1)?.[1] ?? 0;
  const aria = t("coach.beats.aria", { n: samples.length, bpm: last, ceiling: alarm.ceiling_bpm });
  return (
    <figure class="beats">
      <figcaption>
        {t("coach.beats")} · {last} / {alarm.ceiling_bpm}
      </figcaption>
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={aria}>
        <line class="beats-ceiling" x1="0" x2={W} y1={y(alarm.ceiling_bpm)} y2={y(alarm.ceiling_bpm)} />
        <polyline class="beats-line" points={samples.map(([age, bpm]) => `${x(age)},${y(bpm)}`).join(" ")} />
      </svg>
    </figure>
  );
}
