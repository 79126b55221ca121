/** A workout's samples out of its CSV file: the one source that members may read too. */

export interface Curve {
  /** Seconds since 1970. */
  times: number[];
  pulse: (number | null)[];
  speed: (number | null)[];
  power: (number | null)[];
  /** [begin, end] in seconds since 1970. */
  breaks: [number, number][];
}

/** Reads the file; the header names the columns. */
export function curveOf(csv: string): Curve {
  const [head = "", ...lines] = csv.replace(/^\ufeff/, "").split(/\r?\n/).filter((line) => line !== "");
  const names = head.split(",");
  const at = (cells: string[], name: string): string => cells[names.indexOf(name)] ?? "";
  const curve: Curve = { times: [], pulse: [], speed: [], power: [], breaks: [] };
  let began: number | null = null;
  for (const line of lines) {
    const cells = line.split(",");
    const seconds = Date.parse(at(cells, "time_utc")) / 1000;
    const state = at(cells, "state");
    if (state.endsWith("_begins")) began = seconds;
    else if (state.endsWith("_ends")) {
      if (began !== null) curve.breaks.push([began, seconds]);
      began = null;
    }
    const value = (name: string): number | null => {
      const cell = state === "active" ? at(cells, name) : "";
      return cell === "" ? null : Number(cell);
    };
    curve.times.push(seconds);
    curve.pulse.push(value("heart_rate_bpm"));
    curve.speed.push(value("speed_km_h"));
    curve.power.push(value("power_w"));
  }
  return curve;
}
