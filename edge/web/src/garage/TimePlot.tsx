/**
 * A live curve of the last ten minutes: grows with each view that comes, a gap stays a gap. Lines differ by dash as
 * well as by colour. What was before the page opened is not known here and not drawn.
 */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

const SPAN_S = 600;
/** So much is shown at first, until there is more. */
const START_S = 60;
/** A longer silence is drawn as a gap. */
const GAP_S = 5;
const HEIGHT = 200;

export interface Line {
  label: string;
  unit: string;
  dash?: number[];
  /** The axis reaches at least so far. */
  atLeast?: number;
}

export class Samples {
  readonly times: number[] = [];
  readonly values: (number | null)[][];

  constructor(readonly lines: number) {
    this.values = Array.from({ length: lines }, () => []);
  }

  /** Adds one sample at `atMs` of the page's clock. */
  add(atMs: number, values: readonly (number | null)[]): void {
    const at = atMs / 1000;
    const last = this.times.at(-1);
    if (last !== undefined && at - last < 0.5) return;
    if (last !== undefined && at - last > GAP_S) this.push(last + 1, values.map(() => null));
    this.push(at, values);
    while ((this.times[0] ?? at) < at - SPAN_S) {
      this.times.shift();
      for (const row of this.values) row.shift();
    }
  }

  private push(at: number, values: readonly (number | null)[]): void {
    this.times.push(at);
    this.values.forEach((row, i) => row.push(values[i] ?? null));
  }
}

interface Props {
  samples: Samples;
  lines: readonly Line[];
  title: string;
  /** Changes whenever a sample was added. */
  count: number;
}

export function TimePlot({ samples, lines, title, count }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const labels = lines.map((line) => line.label).join("|");
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const made = new uPlot(optionsOf(lines, place), dataOf(samples), place);
    plot.current = made;
    const watcher = new ResizeObserver(() => {
      made.setSize({ width: place.clientWidth, height: HEIGHT });
    });
    watcher.observe(place);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [labels, samples]);
  useEffect(() => {
    plot.current?.setData(dataOf(samples));
  }, [count, samples]);
  return (
    <figure class="plot">
      <figcaption>
        <strong>{title}</strong>
        {lines.map((line, i) => (
          <span key={line.label} class="plot-key" data-line={i}>
            {line.label} {line.unit}
          </span>
        ))}
      </figcaption>
      <div ref={box} class="plot-box" role="img" aria-label={title} />
    </figure>
  );
}

function dataOf(samples: Samples): uPlot.AlignedData {
  return [samples.times, ...samples.values];
}

function optionsOf(lines: readonly Line[], place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: of("--muted"),
    font: `14px ${of("--font")}`,
    grid: { stroke: of("--line"), width: 1 },
    ticks: { show: false },
  };
  const colours = [of("--action"), of("--warn"), of("--info"), of("--ink")];
  return {
    width: Math.max(200, place.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: (_plot, first, last) => [Math.min(first, last - START_S), last] },
      ...Object.fromEntries(lines.map((line) => [line.unit, { range: rangeOf(line) }])),
    },
    axes: [
      { ...axis, values: (_plot, ticks) => ticks.map(clock), space: 90 },
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- a const enum that has no value here
      ...lines.map((line, i) => ({
        ...axis,
        scale: line.unit,
        side: i === 0 ? (3 as const) : (1 as const),
        grid: { ...axis.grid, show: i === 0 },
        size: 62,
        values: (_plot: uPlot, ticks: number[]) => ticks.map((value) => `${value} ${line.unit}`),
      })),
    ],
    series: [
      {},
      ...lines.map((line, i) => ({
        label: line.label,
        scale: line.unit,
        stroke: colours[i % colours.length] ?? of("--ink"),
        width: 2,
        points: { show: false },
        spanGaps: false,
        ...(line.dash ? { dash: line.dash } : {}),
      })),
    ],
  };
}

/** From zero, so that a small change looks small; some room above. */
function rangeOf(line: Line): uPlot.Scale.Range {
  return (_plot, _low, high) => [0, Math.max(line.atLeast ?? 10, (high || 0) * 1.15)];
}

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
  timeZone: "Asia/Shanghai",
});

function clock(seconds: number): string {
  return CLOCK.format(seconds * 1000);
}
