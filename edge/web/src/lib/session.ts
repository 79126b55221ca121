/**
 * Who is at this page, and which box it talks to. One-time links arrive in the address after "#" (so that they reach
 * no log), are exchanged for a cookie and removed from the address at once.
 */
import { signal } from "@preact/signals";

import type { Info, Me } from "../types";
import { ApiError, call, NoAnswer, wordsOf } from "./http";

const RETRY_MS = 1500;

/**
 * starting: asking · ready: `me` holds · login: nobody is logged in · setup: the box has no account yet · no_answer:
 * the box does not answer, asking again · bad_link: the one-time link was refused (`trouble` says why).
 */
export type SessionState = "starting" | "ready" | "login" | "setup" | "no_answer" | "bad_link";

export const session = signal<SessionState>("starting");
export const me = signal<Me | null>(null);
export const info = signal<Info | null>(null);
export const trouble = signal<{ title: string; todo: string } | null>(null);

type Exchange = { path: string; token: string } | null;

/** Takes a one-time token out of the address: "#link=…" logs a person in, "#terminal=…" enrols a lane's terminal. */
function takeToken(): Exchange {
  const match = /^#(link|terminal)=([\w.~-]+)$/.exec(window.location.hash);
  if (!match) return null;
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  return { path: match[1] === "link" ? "/auth/link" : "/auth/terminal", token: match[2] ?? "" };
}

/** Finds out who is here; keeps asking while the box is silent. */
export async function startSession(): Promise<void> {
  let exchange = takeToken();
  for (;;) {
    try {
      info.value = await call<Info>("/system/info");
      if (exchange) {
        const { path, token } = exchange;
        exchange = null;
        await call<Me>(path, { method: "POST", body: { token } });
      }
      me.value = await call<Me>("/auth/me");
      session.value = "ready";
      return;
    } catch (error) {
      if (!keepAsking(error)) return;
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}

function keepAsking(error: unknown): boolean {
  if (error instanceof NoAnswer || (error instanceof ApiError && error.problem.status >= 500)) {
    session.value = "no_answer";
    return true;
  }
  const code = error instanceof ApiError ? error.problem.code : "";
  trouble.value = wordsOf(error);
  if (code === "bad_token") session.value = "bad_link";
  else session.value = info.value?.needs_setup === true ? "setup" : "login";
  return false;
}

/** Finds out whether the login still holds; without one the page says so instead of trying for ever. */
export async function checkLogin(): Promise<void> {
  try {
    await call<Me>("/auth/me");
  } catch (error) {
    if (error instanceof ApiError && error.problem.status === 401) session.value = "login";
  }
}

/** Whether another build is served now than the one that this page came from. */
export async function isOutdated(): Promise<boolean> {
  try {
    const now = await call<Info>("/system/info");
    return info.value !== null && now.build !== info.value.build;
  } catch {
    return false;
  }
}

export async function logout(): Promise<void> {
  await call("/auth/logout", { method: "POST" });
  window.location.assign("/login");
}

/** Where to go after logging in: only a path of this box, never another site's address. */
export function nextPath(): string {
  const next = new URLSearchParams(window.location.search).get("next") ?? "/";
  return /^\/(?!\/)[\w/.-]*$/.test(next) ? next : "/";
}
