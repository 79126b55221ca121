/** The frame of the garage's pages: strip, alarm line, links between the pages, sound, and what this layer is not. */
import { Bell, BellOff, DoorOpen, LayoutGrid, List, PlugZap } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { t } from "../lib/i18n";
import { me, session } from "../lib/session";
import { soundReady, unlockSoundOnTouch } from "../lib/sound";
import { Gate } from "../parts/Gate";
import { Icon } from "../parts/Icon";
import { linkNotice, NoticeStrip, type Notice } from "../parts/NoticeStrip";
import { StateStrip, type GarageTopic } from "../parts/StateStrip";
import type { Board } from "./board";
import { nameOf } from "./names";
import { causeWord, isAside, reasonWords } from "./words";

export const WATCH_ROLES = ["panel", "maintenance", "manager", "admin", "read-only"];
/** Who may read who charged and paid; a bearer that only looks on may not. */
export const SESSION_ROLES = ["panel", "maintenance", "manager", "admin"];
/** Who may read who came and went; a wall shows it to everybody who passes. */
export const STAFF_ROLES = ["maintenance", "manager", "admin"];

interface Props {
  board: Board;
  topic: GarageTopic;
  title: string;
  children: ComponentChildren;
}

export function GarageFrame({ board, topic, title, children }: Props) {
  const live = board.live;
  useEffect(() => {
    unlockSoundOnTouch();
    return board.followAlarms();
  }, [board]);
  return (
    <div class="page page-garage" data-stale={live.state.value !== "live"}>
      <StateStrip page={title} link={live.state.value} help={topic} />
      <NoticeStrip notice={noticeOf(board)} />
      <nav class="garage-nav" aria-label={t("garage.nav")}>
        <NavLink href="/garage" here={topic === "garage"} icon={LayoutGrid} text={t("garage.title")} />
        <NavLink href="/garage/alarms" here={topic === "alarms"} icon={List} text={alarmsText(board)} />
        {SESSION_ROLES.includes(me.value?.role ?? "") && (
          <NavLink href="/garage/sessions" here={topic === "sessions"} icon={PlugZap} text={t("sessions.title")} />
        )}
        {STAFF_ROLES.includes(me.value?.role ?? "") && (
          <NavLink href="/garage/access" here={topic === "access"} icon={DoorOpen} text={t("access.title")} />
        )}
        <Sound />
      </nav>
      <main>{children}</main>
      <footer class="not-the-panel">{t("garage.added_layer")}</footer>
    </div>
  );
}

function quietText(board: Board): string {
  const aside = board.alarms.value?.alarms.filter(isAside).length ?? 0;
  return aside > 0 ? t("garage.aside", { n: aside }) : t("garage.quiet");
}

function alarmsText(board: Board): string {
  const open = board.alarms.value?.alarms.length ?? 0;
  return open > 0 ? t("alarms.open", { n: open }) : t("alarms.title");
}

function NavLink({ href, here, icon, text }: { href: string; here: boolean; icon: typeof Bell; text: string }) {
  return (
    <a class="button" href={href} aria-current={here ? "page" : undefined}>
      <Icon of={icon} />
      {text}
    </a>
  );
}

/** Browsers sound only after a touch: until then the page says so, for a silent panel is a fault of its own. */
function Sound() {
  const ready = soundReady.value;
  return (
    <button type="button" class="sound" data-ready={ready} aria-pressed={ready}>
      <Icon of={ready ? Bell : BellOff} />
      {t(ready ? "sound.on" : "sound.touch")}
    </button>
  );
}

function noticeOf(board: Board): Notice {
  const link = linkNotice(board.live.state.value, board.live.ageS.value, "garage");
  if (link) return link;
  const garage = board.garage.value;
  const first = board.alarms.value?.alarms.find((alarm) => (alarm.active || alarm.latched) && !isAside(alarm));
  if (first) {
    const where = nameOf(first.zone === "" ? reasonWords(first.details[0] ?? "") : first.zone);
    const text = where === "" ? causeWord(first) : t("notice.alarm", { what: causeWord(first), zone: where });
    return { level: first.priority === "fire" ? "fire" : first.priority === "high" ? "alarm" : "warning", text };
  }
  if (garage && !garage.armed) {
    return { level: "alarm", text: t("garage.unarmed", { why: garage.problems.join("; ") }) };
  }
  if (board.zones.value.some((zone) => !zone.clock_trusted)) return { level: "warning", text: t("garage.clock") };
  return { level: "quiet", text: quietText(board) };
}

/** A garage page once somebody with the right role is logged in; until then what is missing. */
export function Guarded({ topic, title, roles, children }: Omit<Props, "board"> & { roles: readonly string[] }) {
  if (session.value === "ready") return <Gate roles={roles}>{children}</Gate>;
  return (
    <div class="page page-garage">
      <StateStrip page={title} help={topic} />
      <main>
        <Gate>{null}</Gate>
      </main>
    </div>
  );
}
