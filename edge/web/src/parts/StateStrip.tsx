/**
 * The strip on top of every page: where I am, language, text size, help, connection and clock, always in the same
 * corner. Below it one line of fixed height, where every alarm of every page enters.
 */
import { CircleQuestionMark, Link2, Unlink2 } from "lucide";
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

import { nowMs } from "../lib/clock";
import { clockTime } from "../lib/format";
import { lang, say, setLang, t, type Lang } from "../lib/i18n";
import type { LinkState } from "../lib/live";
import { setSize, size } from "../lib/prefs";
import { info, session } from "../lib/session";
import { Icon } from "./Icon";

export interface Help {
  label: string;
  pressed: boolean;
  onPress: () => void;
  /** The call for help is on its way: pressing again would undo it before it is known. */
  busy?: boolean;
}

type OwnTopic = "home" | "menu" | "demo" | "cashier" | "login" | "setup" | "password" | "docs" | "missing" | "history";
export type Topic = OwnTopic | GarageTopic | GymTopic;
export type GymTopic = "gym" | "coach" | "machine" | "workouts" | "upkeep";
export type GarageTopic = "garage" | "zone" | "alarms" | "sessions" | "access" | "port";

interface StripProps {
  page: string;
  link?: LinkState | undefined;
  /** What the help button does: at a lane it calls the staff, elsewhere it explains the page. */
  help: Help | Topic;
  children?: ComponentChildren;
}

export function StateStrip({ page, link, help, children }: StripProps) {
  return (
    <header class="strip">
      <p class="strip-name">
        <strong>{info.value ? say(info.value.site) : t("strip.box")}</strong>
        <span>{page}</span>
      </p>
      {children}
      <div class="strip-corner">
        <Languages />
        <Sizes />
        {typeof help === "string" ? <Explain topic={help} /> : <HelpButton help={help} />}
        <Connection link={link ?? pageLink()} />
      </div>
    </header>
  );
}

/** Pages without a live stream: connected as long as the box answered. */
function pageLink(): LinkState {
  if (session.value === "no_answer") return "lost";
  return session.value === "starting" ? "connecting" : "live";
}

const NAMES: readonly (readonly [Lang, string, string])[] = [
  ["zh", "中文", "zh-CN"],
  ["en", "English", "en"],
];

function Languages() {
  return (
    <div class="switch" role="group" aria-label={t("strip.language")}>
      {NAMES.map(([code, name, tag]) => (
        <button
          key={code}
          type="button"
          lang={tag}
          aria-pressed={lang.value === code}
          onClick={() => {
            setLang(code);
          }}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

function Sizes() {
  return (
    <div class="switch" role="group" aria-label={t("strip.size")}>
      {(["normal", "elder"] as const).map((of) => (
        <button
          key={of}
          type="button"
          aria-pressed={size.value === of}
          onClick={() => {
            setSize(of);
          }}
        >
          {of === "normal" ? "A" : "A+"}
          <span class="hidden">{t(of === "normal" ? "strip.size.normal" : "strip.size.elder")}</span>
        </button>
      ))}
    </div>
  );
}

/** What this page is for, in a few sentences below the button; nothing else moves. */
function Explain({ topic }: { topic: Topic }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <div
      class="explain"
      onKeyDown={(event) => {
        if (event.key === "Escape") setOpen(false);
      }}
    >
      <button
        type="button"
        class="strip-help"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => {
          setOpen(!open);
        }}
      >
        <Icon of={CircleQuestionMark} />
        <span>{t("strip.help")}</span>
      </button>
      <div id={id} class="explain-text" hidden={!open}>
        <p>{t(`help.${topic}`)}</p>
        <p>{t("help.all")}</p>
      </div>
    </div>
  );
}

function HelpButton({ help }: { help: Help }) {
  return (
    <button
      type="button"
      class="strip-help"
      onClick={help.onPress}
      disabled={help.busy === true}
      aria-pressed={help.pressed}
    >
      <Icon of={CircleQuestionMark} />
      <span>{help.label}</span>
    </button>
  );
}

const LINK_WORDS = {
  connecting: "link.connecting",
  live: "link.live",
  lost: "link.lost",
  daemon: "link.daemon",
} as const;

function Connection({ link }: { link: LinkState }) {
  return (
    <p class="strip-link" data-link={link}>
      <Icon of={link === "live" || link === "connecting" ? Link2 : Unlink2} />
      <span>{t(LINK_WORDS[link])}</span>
      <time>{clockTime(nowMs.value)}</time>
    </p>
  );
}
