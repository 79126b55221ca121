/** Seven days as bars with their numbers on top; several values of a day stand on each other. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { lang } from "../lib/i18n";
import { stacked } from "./week";

const HEIGHT = 190;
const BAR = 0.62;
const BAR_PX = 64;

export interface Part {
  name: string;
  /** Name of a colour of the page, with its two dashes. */
  colour: string;
  values: readonly number[];
}

interface Props {
  title: string;
  /** Words below the bars, one for each day. */
  days: readonly string[];
  /** The lowest part first. */
  parts: readonly Part[];
  digits?: number;
}

export function DayBars({ title, days, parts, digits = 0 }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const tops = stacked(parts.map((part) => part.values));
  const sums = tops.at(-1) ?? [];
  const key = JSON.stringify([title, days, parts]);
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    // The tallest is drawn first; each lower part covers the foot of the one above it.
    const data: uPlot.AlignedData = [days.map((_, day) => day), ...[...tops].reverse()];
    const made = new uPlot(optionsOf(place, days, parts, sums, digits), data, place);
    const watcher = new ResizeObserver(() => {
      made.setSize({ width: Math.max(200, place.clientWidth), height: HEIGHT });
    });
    watcher.observe(place);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, [key, lang.value]);
  const spoken = days.map((day, i) => `${day} ${(sums[i] ?? 0).toFixed(digits)}`).join(", ");
  return (
    <figure class="plot day-bars">
      <figcaption>
        <strong>{title}</strong>
        {parts.length > 1 &&
          parts.map((part) => (
            <span key={part.name} class="bar-key">
              <i style={{ background: `var(${part.colour})` }} aria-hidden="true" />
              {part.name}
            </span>
          ))}
      </figcaption>
      <div ref={box} class="plot-box" role="img" aria-label={`${title}: ${spoken}`} />
    </figure>
  );
}

function optionsOf(
  place: HTMLElement, days: readonly string[], parts: readonly Part[], sums: readonly number[], digits: number,
): uPlot.Options {
  const style = getComputedStyle(place);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  const size = Number.parseFloat(of("--t1")) || 14;
  const font = `${size}px ${of("--font")}`;
  const axis = { stroke: of("--muted"), font, ticks: { show: false } };
  const bars = uPlot.paths.bars?.({ size: [BAR, BAR_PX] });
  return {
    width: Math.max(200, place.clientWidth),
    height: HEIGHT,
    padding: [size * 1.6, 8, 0, 8],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: () => [-0.5, days.length - 0.5] },
      y: { range: (_plot, _low, high) => [0, Math.max(1, high || 0)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: size * 2,
        splits: () => days.map((_, day) => day),
        values: () => [...days],
      },
      { show: false },
    ],
    series: [
      {},
      ...[...parts].reverse().map((part) => ({
        ...(bars ? { paths: bars } : {}),
        fill: of(part.colour),
        stroke: of("--surface"),
        width: 1,
        points: { show: false },
      })),
    ],
    hooks: { draw: [(made) => { label(made, sums, digits, font, of("--ink")); }] },
  };
}

/** The number of each day above its bar; nothing above no bar. */
function label(made: uPlot, sums: readonly number[], digits: number, font: string, ink: string): void {
  const { ctx } = made;
  const scale = window.devicePixelRatio || 1;
  ctx.save();
  ctx.fillStyle = ink;
  ctx.font = font.replace(/^([\d.]+)px/, (_, px: string) => `${Number(px) * scale}px`);
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  sums.forEach((sum, day) => {
    if (sum <= 0) return;
    ctx.fillText(sum.toFixed(digits), made.valToPos(day, "x", true), made.valToPos(sum, "y", true) - 3 * scale);
  });
  ctx.restore();
}
