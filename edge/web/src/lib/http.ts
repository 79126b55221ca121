/** Requests to the box. Every failure is an `ApiError` (the box answered no) or a `NoAnswer` (nobody knows). */
import { known, lang, t } from "./i18n";

const BASE = "/api/v1";
const TIMEOUT_MS = 10_000;

export interface Problem {
  code: string;
  status: number;
  title: string;
  detail: string;
  errors?: { pointer: string; message: string }[];
  /** What stands against it, where the box knows a code for it. */
  facts?: { problem?: unknown };
}

/** The box answered with a problem. */
export class ApiError extends Error {
  constructor(
    readonly problem: Problem,
    readonly retryAfterMs: number | null,
  ) {
    super(`${problem.code}: ${problem.detail}`);
  }
}

/** No answer came: the request may or may not have been carried out. */
export class NoAnswer extends Error {}

export interface Call {
  method?: "GET" | "POST" | "DELETE";
  /** Sent as JSON; a Blob as it is, under its own type. */
  body?: unknown;
  /** Makes the request a command with this id. */
  idempotencyKey?: string;
  timeoutMs?: number;
}

/** Sends one request below /api/v1 and gives its JSON. */
export async function call<T>(path: string, options: Call = {}): Promise<T> {
  const { method = "GET", body, idempotencyKey, timeoutMs } = options;
  const headers = new Headers({ Accept: "application/json", "Accept-Language": lang.value });
  if (body !== undefined) headers.set("Content-Type", body instanceof Blob ? body.type : "application/json");
  if (idempotencyKey !== undefined) headers.set("Idempotency-Key", idempotencyKey);
  let response: Response;
  let text: string;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? null : body instanceof Blob ? body : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS),
    });
    text = await response.text();
  } catch (cause) {
    throw new NoAnswer(path, { cause });
  }
  if (!response.ok) throw new ApiError(problemOf(response.status, text), retryAfterMs(response));
  return (text ? JSON.parse(text) : null) as T;
}

function problemOf(status: number, text: string): Problem {
  try {
    const body = JSON.parse(text) as Partial<Problem>;
    if (typeof body.code === "string") {
      const { title = "", detail = "", errors = [], facts = {} } = body;
      return { code: body.code, status, title, detail, errors, facts };
    }
  } catch {
    // Not ours: a proxy's page, or a process that is just starting.
  }
  return { code: `http_${status}`, status, title: "", detail: "" };
}

function retryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get("Retry-After") ?? "");
  return seconds > 0 ? seconds * 1000 : null;
}

/** What happened and what to do, in the page's language; the box's own words where the page knows none. */
export function wordsOf(error: unknown): { title: string; todo: string } {
  if (error instanceof NoAnswer) return { title: t("code.no_answer"), todo: t("code.no_answer.do") };
  if (!(error instanceof ApiError)) return { title: t("code.internal"), todo: t("code.internal.do") };
  return wordsOfProblem(error.problem);
}

export function wordsOfProblem(problem: Problem): { title: string; todo: string } {
  const why = problem.code === "not_now" ? known(`not_now.${String(problem.facts?.problem)}`) : null;
  if (why) return { title: t(why), todo: "" };
  const title = known(`code.${problem.code}`);
  const todo = known(`code.${problem.code}.do`);
  const listed = (problem.errors ?? []).map((e) => `${e.pointer} ${e.message}`).join("; ");
  return {
    title: title ? t(title) : problem.title || t("code.internal"),
    todo: todo ? t(todo) : listed || problem.detail || t("code.internal.do"),
  };
}
