/** Pulse, and speed or power, over a workout; pauses are shaded and the lines are broken there. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { clockTime } from "../lib/format";
import { lang, t } from "../lib/i18n";
import type { Curve } from "./curve";

const HEIGHT = 280;

export function WorkoutPlot({ curve }: { curve: Curve }) {
  const box = useRef<HTMLDivElement>(null);
  const bySpeed = curve.speed.some((value) => value !== null);
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const data: uPlot.AlignedData = [curve.times, curve.pulse, bySpeed ? curve.speed : curve.power];
    const made = new uPlot(optionsOf(place, curve, bySpeed ? "km/h" : "W"), data, place);
    const watcher = new ResizeObserver(() => {
      made.setSize({ width: Math.max(200, place.clientWidth), height: HEIGHT });
    });
    watcher.observe(place);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, [curve, lang.value]);
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-key" data-line="0">{t("total.pulse_now")} {t("coach.bpm")}</span>
        <span class="plot-key" data-line="1">{bySpeed ? `${t("total.speed")} km/h` : `${t("total.power")} W`}</span>
        {curve.breaks.length > 0 && <span>{t("workouts.pauses")}</span>}
      </figcaption>
      <div ref={box} class="plot-box" role="img" aria-label={t("workouts.curve")} />
    </figure>
  );
}

function optionsOf(place: HTMLElement, curve: Curve, unit: string): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: of("--muted"), font: `14px ${of("--font")}`, ticks: { show: false } };
  const grid = { stroke: of("--line"), width: 1 };
  const withUnit = (_plot: uPlot, ticks: number[]): string[] => ticks.map((tick) => `${tick} ${unit}`);
  const line = { width: 2, points: { show: false }, spanGaps: false };
  return {
    width: Math.max(200, place.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true },
      bpm: { range: (_plot, low, high) => [Math.min(60, low || 60), Math.max(140, (high || 0) + 5)] },
      [unit]: { range: (_plot, _low, high) => [0, Math.max(4, (high || 0) * 1.3)] },
    },
    axes: [
      { ...axis, grid, space: 80, values: (_plot, ticks) => ticks.map((tick) => clockTime(tick * 1000)) },
      { ...axis, grid, scale: "bpm", size: 56 },
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- a const enum that has no value here
      { ...axis, scale: unit, side: 1 as const, grid: { show: false }, size: 64, values: withUnit },
    ],
    series: [
      {},
      { ...line, scale: "bpm", stroke: of("--action") },
      { ...line, scale: unit, stroke: of("--warn"), dash: [10, 6] },
    ],
    hooks: {
      drawClear: [(made) => { shade(made, curve, of("--sunken")); }],
    },
  };
}

function shade(made: uPlot, curve: Curve, colour: string): void {
  const { ctx, bbox } = made;
  ctx.save();
  ctx.fillStyle = colour;
  for (const [begin, end] of curve.breaks) {
    const left = Math.max(bbox.left, made.valToPos(begin, "x", true));
    const right = Math.min(bbox.left + bbox.width, made.valToPos(end, "x", true));
    if (right > left) ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
  }
  ctx.restore();
}
