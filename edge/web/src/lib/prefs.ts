/** The text size of the page: normal or elder, kept per lane on a terminal (never per person), else per browser. */
import { signal } from "@preact/signals";

import { useLangOf } from "./i18n";
import { keep, kept } from "./store";

export type Size = "normal" | "elder";

const SIZE_KEY = "kangle.size";
let scope = SIZE_KEY;

export const size = signal<Size>("normal");

/** Reads language and size of `place` ("lane.1", or "" for the browser's) and keeps later changes there. */
export function usePrefsOf(place: string): void {
  useLangOf(place);
  scope = place ? `${SIZE_KEY}.${place}` : SIZE_KEY;
  size.value = kept(scope) === "elder" ? "elder" : "normal";
  applySize();
}

export function setSize(next: Size): void {
  size.value = next;
  keep(scope, next);
  applySize();
}

function applySize(): void {
  document.documentElement.dataset["size"] = size.value;
}
