/** How much finds room on a page of the wall: as the styles (`gym-large.css`, `[data-wall]`) draw it. */
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import { lang } from "../lib/i18n";
import { size } from "../lib/prefs";
import type { Sheet } from "./wall";

/** A screen that hangs on a wall. */
export const WALL = "(min-width: 1600px) and (min-height: 810px)";
/** The unit of length of the wall: a pixel at this size, twice as much on a screen twice as large. */
const DESIGN = { width: 1920, height: 1080 };
const HEAD = { normal: 54, elder: 64 };
const LINE = { normal: 118, elder: 136 };
const BUSY = { normal: 480, elder: 580 };
/** English words are longer. */
const COLUMNS = { zh: { normal: 8, elder: 6 }, en: { normal: 7, elder: 5 } };

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const media = window.matchMedia(query);
    const told = (): void => {
      setMatches(media.matches);
    };
    told();
    media.addEventListener("change", told);
    return () => {
      media.removeEventListener("change", told);
    };
  }, [query]);
  return matches;
}

/** The height of the map of the week. */
export function busyHeight(): number {
  return BUSY[size.value];
}

/** The sheet that `area` is, measured anew when it changes. */
export function useSheet(area: RefObject<HTMLElement | null>, on: boolean): Sheet {
  const [height, setHeight] = useState(0);
  useLayoutEffect(() => {
    const element = area.current;
    if (!on || !element) return;
    const measure = (): void => {
      const unitPx = Math.min(window.innerWidth / DESIGN.width, window.innerHeight / DESIGN.height);
      setHeight(Math.floor(element.clientHeight / unitPx));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [area, on]);
  return { height, head: HEAD[size.value], line: LINE[size.value], columns: COLUMNS[lang.value][size.value] };
}
