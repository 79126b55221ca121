/** /: what this person may open, as large plain links. */
import {
  Activity,
  BookOpen,
  ChartLine,
  CircleDollarSign,
  DoorOpen,
  Dumbbell,
  HeartPulse,
  LogOut,
  MonitorPlay,
  PlugZap,
  ScanLine,
  Siren,
  UtensilsCrossed,
  Wrench,
} from "lucide";
import type { IconNode } from "lucide";
import { useEffect, useState } from "preact/hooks";

import "../styles/forms.css";
import { call } from "../lib/http";
import { known, say, t, type Key } from "../lib/i18n";
import { info, logout, me } from "../lib/session";
import type { LaneView } from "../types";
import { Gate } from "../parts/Gate";
import { Icon } from "../parts/Icon";
import { mount } from "../parts/mount";
import { NoticeStrip } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";

const DESK = ["cashier", "manager", "admin"];
const BOSS = ["manager", "admin"];
const WATCH = ["panel", "maintenance", "manager", "admin", "read-only"];

const REPAIR = ["maintenance", "manager", "admin"];
const CARE = ["coach", "manager", "admin"];
const OWN = ["member", "resident", "family"];
const UPKEEP = ["coach", "maintenance", "manager", "admin", "read-only"];
const HISTORY = ["maintenance", "manager", "admin", "read-only"];

interface Way {
  href: string;
  icon: IconNode;
  title: string;
  todo: Key;
}

function Page() {
  return (
    <div class="page">
      <StateStrip page={t("home.title")} help="home" />
      <NoticeStrip notice={{ level: "quiet", text: t("notice.local") }} />
      <main>
        <Gate>
          <Ways />
        </Gate>
      </main>
    </div>
  );
}

function Ways() {
  const lanes = useLanes();
  const role = me.value?.role ?? "";
  const roleName = known(`role.${role}`);
  return (
    <div class="home">
      <h1>{info.value ? say(info.value.site) : ""}</h1>
      <ul class="ways">
        {waysOf(role, lanes).map((way) => (
          <li key={way.href}>
            <a href={way.href}>
              <Icon of={way.icon} />
              <strong>{way.title}</strong>
              <span>{t(way.todo)}</span>
            </a>
          </li>
        ))}
      </ul>
      <p class="home-me">
        <span>{t("home.me", { user: me.value?.user ?? "", role: roleName ? t(roleName) : role })}</span>
        {me.value?.user.startsWith("token:") === false && <a href="/password">{t("home.password")}</a>}
        <button type="button" onClick={() => void logout()}>
          <Icon of={LogOut} />
          {t("home.logout")}
        </button>
      </p>
    </div>
  );
}

function waysOf(role: string, lanes: readonly LaneView[]): Way[] {
  const ways: Way[] = [];
  if (info.value?.demo && BOSS.includes(role)) {
    ways.push({ href: "/demo", icon: MonitorPlay, title: t("demo.title"), todo: "home.demo" });
  }
  for (const lane of lanes) {
    const href = `/lane/${encodeURIComponent(lane.lane)}`;
    ways.push({ href, icon: ScanLine, title: say(lane.name), todo: "home.lane" });
  }
  if (DESK.includes(role)) {
    ways.push({ href: "/cashier", icon: CircleDollarSign, title: t("cashier.title"), todo: "home.cashier" });
  }
  ways.push(...garageWays(role));
  ways.push(...gymWays(role));
  if (HISTORY.includes(role)) {
    ways.push({ href: "/history", icon: ChartLine, title: t("history.title"), todo: "home.history" });
  }
  ways.push({ href: "/menu", icon: UtensilsCrossed, title: t("menu.title"), todo: "home.menu" });
  if (BOSS.includes(role)) ways.push({ href: "/docs", icon: BookOpen, title: t("docs.title"), todo: "home.docs" });
  return ways;
}

function garageWays(role: string): Way[] {
  const ways: Way[] = [];
  if (info.value?.verticals.includes("garage") !== true || !WATCH.includes(role)) return ways;
  ways.push({ href: "/garage", icon: Siren, title: t("garage.title"), todo: "home.garage" });
  if (role !== "read-only") {
    ways.push({ href: "/garage/sessions", icon: PlugZap, title: t("sessions.title"), todo: "home.sessions" });
  }
  if (REPAIR.includes(role)) {
    ways.push({ href: "/garage/access", icon: DoorOpen, title: t("access.title"), todo: "home.access" });
  }
  return ways;
}

function gymWays(role: string): Way[] {
  if (info.value?.verticals.includes("gym") !== true) return [];
  const ways: Way[] = [{ href: "/gym", icon: Dumbbell, title: t("gym.title"), todo: "home.gym" }];
  if (CARE.includes(role)) {
    ways.push({ href: "/gym/coach", icon: HeartPulse, title: t("coach.title"), todo: "home.coach" });
  }
  if ([...CARE, ...OWN].includes(role)) {
    const title = t(CARE.includes(role) ? "workouts.all" : "workouts.title");
    ways.push({ href: "/gym/workouts", icon: Activity, title, todo: "home.workouts" });
  }
  if (UPKEEP.includes(role)) {
    ways.push({ href: "/gym/maintenance", icon: Wrench, title: t("upkeep.title"), todo: "home.upkeep" });
  }
  return ways;
}

/** The lanes that this person may see; none for roles without lanes. */
function useLanes(): readonly LaneView[] {
  const [lanes, setLanes] = useState<readonly LaneView[]>([]);
  const may = [...DESK, "diner-terminal"].includes(me.value?.role ?? "");
  useEffect(() => {
    if (!may) return;
    call<{ lanes: LaneView[] }>("/canteen/lanes")
      .then((answer) => {
        setLanes(answer.lanes);
      })
      .catch(() => {
        setLanes([]);
      });
  }, [may]);
  return lanes;
}

mount(Page, "page.home");
