/**
 * The curves: drag to zoom in, wheel or buttons to zoom, a value under the pointer. Lines differ by dash as well as by
 * colour; where nothing was measured the line is broken, and what is known to be lost is hatched.
 */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { lang, t } from "../lib/i18n";
import type { HistoryCurve, HistoryPlot } from "../types";
import type { Archive, Span } from "./archive";
import { number, stateWord, titleOf } from "./names";

const HEIGHT = 420;
export const DASHES = [[], [10, 6], [3, 5], [14, 5, 3, 5]];
export const COLOURS = ["--action", "--warn", "--info", "--ink"];

interface Props {
  archive: Archive;
  plot: HistoryPlot;
  span: Span;
}

export function CurvePlot({ archive, plot, span }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    archive.setPixels(place.clientWidth * Math.min(window.devicePixelRatio, 2));
    const made = new uPlot(optionsOf(archive, plot, span, place), dataOf(plot), place);
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      archive.zoom(event.deltaY > 0 ? 2 : 0.5, momentAt(made, event));
    };
    const over = made.over;
    over.addEventListener("wheel", onWheel, { passive: false });
    const watcher = new ResizeObserver(() => {
      made.setSize({ width: Math.max(200, place.clientWidth), height: HEIGHT });
    });
    watcher.observe(place);
    return () => {
      watcher.disconnect();
      over.removeEventListener("wheel", onWheel);
      made.destroy();
    };
  }, [plot, span, lang.value]);
  const label = t("history.plot_label", { names: plot.curves.map((curve) => titleOf(curve.series)).join(", ") });
  return <div ref={box} class="curve-box" role="img" aria-label={label} />;
}

function momentAt(made: uPlot, event: MouseEvent): number {
  return made.posToVal(event.clientX - made.over.getBoundingClientRect().left, "x") * 1000;
}

/** One shared time axis: uPlot wants the same times for all. */
function dataOf(plot: HistoryPlot): uPlot.AlignedData {
  const tables = plot.curves.map(
    (curve): uPlot.AlignedData => [curve.time_ms.map((ms) => ms / 1000), curve.value],
  );
  if (tables.length === 0) return [[]];
  return uPlot.join(
    tables,
    tables.map(() => [0, 2]),
  );
}

function optionsOf(archive: Archive, plot: HistoryPlot, span: Span, place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: of("--muted"), font: `16px ${of("--font")}`, ticks: { show: false } };
  const grid = { stroke: of("--line"), width: 1 };
  const scales = [...new Set(plot.curves.map(scaleOf))];
  return {
    width: Math.max(200, place.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, dist: 8, setScale: false }, points: { size: 10 } },
    scales: {
      x: { time: true, range: () => [span.beginMs / 1000, span.endMs / 1000] },
      ...Object.fromEntries(scales.map((scale) => [scale, { range: rangeOf(scale) }])),
    },
    axes: [
      { ...axis, grid, space: 110, size: 52, values: (_plot, ticks) => ticks.map((tick) => moment(tick, span)) },
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- a const enum that has no value here
      ...scales.map((scale, i) => ({
        ...axis,
        scale,
        side: i % 2 === 0 ? (3 as const) : (1 as const),
        grid: { ...grid, show: i === 0 },
        size: 84,
        values: (_plot: uPlot, ticks: number[]) => ticks.map((value) => tickWords(plot, scale, value)),
      })),
    ],
    series: [{}, ...plot.curves.map((curve, i) => lineOf(curve, of(COLOURS[i % COLOURS.length] ?? "--ink"), i))],
    hooks: {
      drawClear: [(made) => { hatchGaps(made, plot, of("--sunken")); }],
      setSelect: [(made) => { zoomInto(made, archive); }],
      setCursor: [(made) => { tellPointer(made, plot, place); }],
    },
  };
}

function lineOf(curve: HistoryCurve, stroke: string, i: number): uPlot.Series {
  const step = curve.series.kind === "state" ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  return {
    label: titleOf(curve.series),
    scale: scaleOf(curve),
    stroke,
    width: 2,
    dash: DASHES[i % DASHES.length] ?? [],
    points: { show: curve.time_ms.length < 40, size: 6 },
    spanGaps: false,
    ...(step ? { paths: step } : {}),
  };
}

function scaleOf(curve: HistoryCurve): string {
  return curve.series.kind === "state" ? `state ${curve.series.key}` : curve.series.unit || curve.series.quantity;
}

function rangeOf(scale: string): uPlot.Scale.Range {
  return (_plot, low, high) => {
    if (scale.startsWith("state ")) return [-0.2, Math.max(1, high || 0) + 0.2];
    if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
    const room = Math.max((high - low) * 0.08, Math.abs(high) * 0.01, 1e-6);
    return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
  };
}

function tickWords(plot: HistoryPlot, scale: string, value: number): string {
  const state = plot.curves.find((curve) => scaleOf(curve) === scale && curve.series.kind === "state");
  if (state) return Number.isInteger(value) && state.words[value] !== undefined ? stateWord(state.words[value]) : "";
  const unit = plot.curves.find((curve) => scaleOf(curve) === scale)?.series.unit ?? "";
  return `${number(value)} ${unit}`.trim();
}

function hatchGaps(made: uPlot, plot: HistoryPlot, colour: string): void {
  const { ctx, bbox } = made;
  ctx.save();
  ctx.fillStyle = colour;
  for (const gap of plot.gaps) {
    const left = Math.max(bbox.left, made.valToPos(gap.begin_ms / 1000, "x", true));
    const right = Math.min(bbox.left + bbox.width, made.valToPos(gap.end_ms / 1000, "x", true));
    if (right > left) ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
  }
  ctx.restore();
}

function zoomInto(made: uPlot, archive: Archive): void {
  const { left, width } = made.select;
  if (width < 8) return;
  archive.show(made.posToVal(left, "x") * 1000, made.posToVal(left + width, "x") * 1000);
}

/** The values under the pointer go into the figures below the plot, without a rendering. */
function tellPointer(made: uPlot, plot: HistoryPlot, place: HTMLElement): void {
  const figure = place.closest(".curves");
  const at = made.cursor.idx;
  const when = figure?.querySelector(".curves-when");
  if (when) when.textContent = at === null || at === undefined ? "" : fullMoment(made.data[0][at] ?? 0);
  plot.curves.forEach((curve, i) => {
    const out = figure?.querySelector(`[data-curve="${i}"] output`);
    if (out) out.textContent = valueNear(made, curve, i, at);
  });
}

/** The last known value at or before the pointer: times of several curves do not fall together. */
function valueNear(made: uPlot, curve: HistoryCurve, i: number, at: number | null | undefined): string {
  const row = made.data[i + 1];
  if (!row || at === null || at === undefined) return "";
  for (let back = at; back >= Math.max(0, at - 200); back--) {
    const value = row[back];
    if (value === null) return t("history.not_measured");
    if (value !== undefined) {
      if (curve.series.kind === "state") return stateWord(curve.words[value] ?? "");
      return `${number(value)} ${curve.series.unit}`.trim();
    }
  }
  return "";
}

const ZONE = "Asia/Shanghai";

function moment(seconds: number, span: Span): string {
  const width = span.endMs - span.beginMs;
  const ms = seconds * 1000;
  const locale = lang.value === "zh" ? "zh-CN" : "en-GB";
  const day = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(locale, { hour12: false, timeZone: ZONE, ...options }).format(ms);
  if (width > 90 * 86_400_000) return day({ year: "numeric", month: "short" });
  if (width > 3 * 86_400_000) return day({ month: "short", day: "numeric" });
  const clock = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    ...(width < 600_000 ? { second: "2-digit" } : {}),
    ...(width < 5000 ? { fractionalSecondDigits: 1 } : {}),
    hour12: false,
    timeZone: ZONE,
  }).format(ms);
  return width > 86_400_000 ? `${day({ month: "short", day: "numeric" })} ${clock}` : clock;
}

function fullMoment(seconds: number): string {
  return new Intl.DateTimeFormat(lang.value === "zh" ? "zh-CN" : "en-GB", {
    dateStyle: "medium",
    timeStyle: "medium",
    hour12: false,
    timeZone: ZONE,
  }).format(seconds * 1000);
}
