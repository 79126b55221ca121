/**
 * What the page knows: all series, which are chosen, which span is shown, and the curves of it. One request is under
 * way at a time; while it runs, only the newest wish is kept, so that fast zooming never queues.
 */
import { batch, computed, signal } from "@preact/signals";

import { call, wordsOf } from "../lib/http";
import { info } from "../lib/session";
import type { HistoryCurve, HistoryPlot, HistorySeries, HistorySeriesList } from "../types";
import { isZone, zoneCurve, zonesOf } from "./zones";

/** More would not be told apart. */
export const CHOSEN_MAX = 4;
const PAGE = 5000;
const SECOND = 1000;
export const SPAN_MIN_MS = SECOND;
export const SPAN_MAX_MS = 3 * 366 * 86_400 * SECOND;

export interface Span {
  beginMs: number;
  endMs: number;
}

/** The spans that have a button, widest first. */
export const SPANS = [
  ["year", 366 * 86_400 * SECOND],
  ["month", 31 * 86_400 * SECOND],
  ["week", 7 * 86_400 * SECOND],
  ["day", 86_400 * SECOND],
  ["hour", 3600 * SECOND],
  ["minute", 60 * SECOND],
  ["second", SECOND],
] as const;

interface Trouble {
  title: string;
  todo: string;
}

export class Archive {
  readonly series = signal<readonly HistorySeries[] | null>(null);
  readonly chosen = signal<readonly string[]>([]);
  readonly span = signal<Span>(lastOf(86_400 * SECOND));
  readonly plot = signal<HistoryPlot | null>(null);
  /** The span that `plot` shows. */
  readonly shown = signal<Span>({ beginMs: 0, endMs: 0 });
  readonly busy = signal(false);
  readonly trouble = signal<Trouble | null>(null);
  readonly tookMs = signal(0);
  private pixels = 1200;
  private asking = false;
  private again = false;

  readonly byKey = computed(() => new Map((this.series.value ?? []).map((one) => [one.key, one])));

  /** Reads the names of everything that is measured. */
  async learn(): Promise<void> {
    try {
      const found: HistorySeries[] = [];
      const verticals = info.value?.verticals ?? [];
      for (const vertical of verticals) found.push(...(await zonesOf(vertical)));
      for (const vertical of verticals) found.push(...(await seriesOf(vertical)));
      batch(() => {
        this.series.value = found;
        this.trouble.value = null;
      });
    } catch (error) {
      this.trouble.value = wordsOf(error);
    }
  }

  /** Puts a series in or out; the oldest goes when there are too many. */
  toggle(key: string): void {
    const has = this.chosen.value.includes(key);
    const rest = this.chosen.value.filter((one) => one !== key);
    this.chosen.value = has ? rest : [...rest.slice(-(CHOSEN_MAX - 1)), key];
    void this.draw();
  }

  /** Shows another span, within reason. */
  show(beginMs: number, endMs: number): void {
    const middle = (beginMs + endMs) / 2;
    const width = Math.min(Math.max(endMs - beginMs, SPAN_MIN_MS), SPAN_MAX_MS);
    const latest = Date.now() + 60 * SECOND;
    const end = Math.min(Math.round(middle + width / 2), Math.round(latest + width / 2));
    const begin = Math.max(0, end - Math.round(width));
    this.span.value = { beginMs: begin, endMs: begin + Math.round(width) };
    void this.draw();
  }

  /** The last `widthMs` up to now; or that width around what is shown when it is in the past. */
  showWidth(widthMs: number): void {
    const { beginMs, endMs } = this.span.value;
    const touchesNow = endMs > Date.now() - 2 * (endMs - beginMs);
    if (touchesNow) this.span.value = lastOf(widthMs);
    else {
      this.show((beginMs + endMs - widthMs) / 2, (beginMs + endMs + widthMs) / 2);
      return;
    }
    void this.draw();
  }

  /** By half a width to the left (-1) or right (1). */
  move(direction: number): void {
    const { beginMs, endMs } = this.span.value;
    const by = ((endMs - beginMs) / 2) * direction;
    this.show(beginMs + by, endMs + by);
  }

  /** Wider (2) or narrower (0.5) around a moment. */
  zoom(factor: number, aroundMs?: number): void {
    const { beginMs, endMs } = this.span.value;
    const around = aroundMs ?? (beginMs + endMs) / 2;
    this.show(around - (around - beginMs) * factor, around + (endMs - around) * factor);
  }

  /** How wide the plot is, so that as many points come as it can show. */
  setPixels(pixels: number): void {
    this.pixels = Math.min(4000, Math.max(100, Math.round(pixels)));
  }

  /** Asks for the curves of what is chosen. */
  async draw(): Promise<void> {
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    this.busy.value = true;
    do {
      this.again = false;
      await this.askOnce();
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set while we waited
    } while (this.again);
    this.asking = false;
    this.busy.value = false;
  }

  private async askOnce(): Promise<void> {
    const span = this.span.value;
    if (this.chosen.value.length === 0) {
      this.plot.value = null;
      return;
    }
    const begun = performance.now();
    try {
      const answer = await this.plotOf(span);
      batch(() => {
        this.plot.value = answer;
        this.shown.value = span;
        this.trouble.value = null;
        this.tookMs.value = Math.round(performance.now() - begun);
      });
    } catch (error) {
      this.trouble.value = wordsOf(error);
    }
  }

  /** The curves of what is chosen, in that order: zones are asked for one by one. */
  private async plotOf(span: Span): Promise<HistoryPlot> {
    const chosen = this.chosen.value;
    const series = chosen.some((key) => !isZone(key));
    const [plot, ...zones] = await Promise.all([
      series ? call<HistoryPlot>(`/history/plot?${this.query(span)}&pixels=${this.pixels}`) : { curves: [], gaps: [] },
      ...chosen
        .map((key) => this.byKey.value.get(key))
        .filter((one) => one !== undefined)
        .filter((one) => isZone(one.key))
        .map((one) => zoneCurve(one, span.beginMs, span.endMs, this.pixels)),
    ]);
    const curves = new Map<string, HistoryCurve>([...plot.curves, ...zones].map((curve) => [curve.series.key, curve]));
    return { gaps: plot.gaps, curves: chosen.map((key) => curves.get(key)).filter((curve) => curve !== undefined) };
  }

  /** The query of the series that are chosen (not of zones) over a span. */
  query(span: Span): string {
    const series = this.chosen.value.filter((key) => !isZone(key));
    const keys = series.map((key) => `series=${encodeURIComponent(key)}`).join("&");
    return `${keys}&begin_ms=${Math.round(span.beginMs)}&end_ms=${Math.round(span.endMs)}`;
  }
}

async function seriesOf(vertical: string): Promise<HistorySeries[]> {
  const found: HistorySeries[] = [];
  let cursor = "";
  do {
    const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await call<HistorySeriesList>(
      `/history/series?vertical=${encodeURIComponent(vertical)}&limit=${PAGE}${at}`,
    );
    found.push(...page.items);
    cursor = page.next_cursor ?? "";
  } while (cursor !== "");
  return found;
}

/** The span that ends now. */
export function lastOf(widthMs: number): Span {
  const endMs = Date.now();
  return { beginMs: endMs - widthMs, endMs };
}
