/** Starts a page: preferences first (so that nothing jumps), then the session, then the page itself. */
import { effect } from "@preact/signals";
import { render, type ComponentType } from "preact";

import "../styles/tokens.css";
import "../styles/base.css";
import { t, type Key } from "../lib/i18n";
import { usePrefsOf } from "../lib/prefs";
import { startSession } from "../lib/session";

export function mount(Page: ComponentType, title: Key, prefsOf = ""): void {
  const root = document.getElementById("app");
  if (!root) throw new Error("the page has no #app");
  usePrefsOf(prefsOf);
  effect(() => {
    document.title = t(title);
  });
  render(<Page />, root);
  void startSession();
}
