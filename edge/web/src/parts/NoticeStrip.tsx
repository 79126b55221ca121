/**
 * One line of fixed height under the state strip. The most serious notice wins; without one it says the page's quiet
 * line.
 */
import { CircleAlert, Flame, Info, TriangleAlert } from "lucide";
import type { IconNode } from "lucide";

import { ageWords } from "../lib/format";
import { t } from "../lib/i18n";
import type { Live, LinkState } from "../lib/live";
import { Icon } from "./Icon";

export interface Notice {
  level: "fire" | "alarm" | "warning" | "information" | "quiet";
  text: string;
}

const ICONS: Record<Exclude<Notice["level"], "quiet">, IconNode> = {
  fire: Flame,
  alarm: CircleAlert,
  warning: TriangleAlert,
  information: Info,
};

const LOUD: ReadonlySet<Notice["level"]> = new Set(["fire", "alarm"]);

export function NoticeStrip({ notice }: { notice: Notice }) {
  return (
    <div class="notice" data-level={notice.level} role={LOUD.has(notice.level) ? "alert" : "status"}>
      {notice.level !== "quiet" && <Icon of={ICONS[notice.level]} />}
      <p>{notice.text}</p>
    </div>
  );
}

const SILENT = { canteen: "notice.daemon", garage: "notice.daemon.garage", gym: "notice.daemon.gym" } as const;

/** What every page says about its connection; null while all is well. */
export function linkNotice(link: LinkState, ageS: number, daemon: Live["daemon"] = "canteen"): Notice | null {
  if (link === "lost") return { level: "alarm", text: t("notice.lost", { age: ageWords(ageS) }) };
  if (link === "daemon") return { level: "alarm", text: t(SILENT[daemon], { age: ageWords(ageS) }) };
  return link === "connecting" ? { level: "information", text: t("notice.connecting") } : null;
}
