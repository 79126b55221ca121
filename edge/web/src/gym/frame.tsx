/** The frame of the gym's pages: strip, notice line, links between the pages. */
import "./learn";

import { Activity, HeartPulse, LayoutGrid, Wrench } from "lucide";
import type { IconNode } from "lucide";
import type { ComponentChildren } from "preact";

import { t, type Key } from "../lib/i18n";
import { me, session } from "../lib/session";
import { Gate } from "../parts/Gate";
import { Icon } from "../parts/Icon";
import { linkNotice, NoticeStrip, type Notice } from "../parts/NoticeStrip";
import { StateStrip, type GymTopic } from "../parts/StateStrip";
import type { GymBoard } from "./board";
import { detailWords, word } from "./words";

export const CARE_ROLES = ["coach", "manager", "admin"];
export const UPKEEP_ROLES = ["coach", "maintenance", "manager", "admin", "read-only"];
export const OWN_ROLES = ["member", "resident", "family", "coach", "manager", "admin"];

const WAYS: readonly (readonly [GymTopic, string, IconNode, Key, readonly string[] | null])[] = [
  ["gym", "/gym", LayoutGrid, "gym.title", null],
  ["coach", "/gym/coach", HeartPulse, "coach.title", CARE_ROLES],
  ["workouts", "/gym/workouts", Activity, "workouts.title", OWN_ROLES],
  ["upkeep", "/gym/maintenance", Wrench, "upkeep.title", UPKEEP_ROLES],
];

interface Props {
  board: GymBoard;
  topic: GymTopic;
  title: string;
  /** Fills the screen and scrolls nowhere: everything is as large as the screen allows. */
  wall?: boolean;
  /** Stands beside the links. */
  beside?: ComponentChildren;
  children: ComponentChildren;
}

export function GymFrame({ board, topic, title, wall = false, beside, children }: Props) {
  const role = me.value?.role ?? "";
  return (
    <div class="page page-gym" data-stale={board.stale} data-wall={wall}>
      <StateStrip page={title} link={board.live.state.value} help={topic} />
      <NoticeStrip notice={noticeOf(board)} />
      <nav class="gym-nav" aria-label={t("gym.nav")}>
        {WAYS.filter(([, , , , roles]) => roles?.includes(role) ?? true).map(([of, href, icon, key]) => (
          <a key={of} class="button" href={href} aria-current={of === topic ? "page" : undefined}>
            <Icon of={icon} />
            {of === "workouts" && CARE_ROLES.includes(role) ? t("workouts.all") : t(key)}
          </a>
        ))}
        {beside}
      </nav>
      <main>{children}</main>
    </div>
  );
}

function noticeOf(board: GymBoard): Notice {
  const link = linkNotice(board.live.state.value, board.live.ageS.value, "gym");
  if (link) return link;
  const first = board.alarms.value?.alarms.find((alarm) => alarm.active || alarm.latched);
  if (first && first.priority !== "low") {
    const where = detailWords(first.details.at(-1) ?? "", board);
    const text = `${word("cause", first.cause)} · ${where}`;
    return { level: first.priority === "high" ? "alarm" : "warning", text };
  }
  if (board.gym.value?.clock_trusted === false) return { level: "warning", text: t("gym.clock") };
  return { level: "quiet", text: t("gym.quiet") };
}

interface GuardProps {
  topic: GymTopic;
  title: string;
  roles?: readonly string[];
  children: ComponentChildren;
}

/** A gym page once somebody with the right role is logged in; until then what is missing. */
export function Guarded({ topic, title, roles, children }: GuardProps) {
  if (session.value === "ready") return <Gate {...(roles ? { roles } : {})}>{children}</Gate>;
  return (
    <div class="page page-gym">
      <StateStrip page={title} help={topic} />
      <main>
        <Gate>{null}</Gate>
      </main>
    </div>
  );
}
