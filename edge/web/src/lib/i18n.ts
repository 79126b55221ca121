/** Words in two languages. A missing key does not compile; placeholders are compared by a test. */
import { signal } from "@preact/signals";

import en from "../i18n/en.json";
import type gymWords from "../i18n/gym.zh.json";
import zh from "../i18n/zh.json";
import type { Text } from "../types";
import { keep, kept } from "./store";

export type Lang = "zh" | "en";
export type Key = keyof typeof zh | keyof typeof gymWords;
export type Params = Record<string, string | number>;

/** Words of the gym come with its pages (`learnWords`): others do not carry them over the line. */
const WORDS: Record<Lang, Partial<Record<Key, string>>> = { zh: { ...zh }, en: { ...en } };

/** Adds the words of a part of the box; call it before anything of that part is shown. */
export function learnWords(more: Record<Lang, Partial<Record<Key, string>>>): void {
  Object.assign(WORDS.zh, more.zh);
  Object.assign(WORDS.en, more.en);
}
const LANG_KEY = "kangle.lang";
/** Where this page keeps its language: per lane on a terminal, else per browser. */
let scope = LANG_KEY;

export const lang = signal<Lang>("zh");

/** Reads the language of `place` ("" = the browser's) and keeps later changes there. */
export function useLangOf(place: string): void {
  scope = place ? `${LANG_KEY}.${place}` : LANG_KEY;
  lang.value = kept(scope) === "en" ? "en" : "zh";
  applyLang();
}

export function setLang(next: Lang): void {
  lang.value = next;
  keep(scope, next);
  applyLang();
}

function applyLang(): void {
  document.documentElement.lang = lang.value === "zh" ? "zh-CN" : "en";
}

/** The words for `key` in the page's language, `{name}` replaced from `params`. */
export function t(key: Key, params: Params = {}): string {
  return (WORDS[lang.value][key] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

/** The key if there are words for it: codes that arrive from the box may be newer than this page. */
export function known(key: string): Key | null {
  return Object.hasOwn(WORDS.zh, key) ? (key as Key) : null;
}

/** A text of the box in the page's language. */
export function say(text: Text): string {
  return text[lang.value] || text.zh;
}
