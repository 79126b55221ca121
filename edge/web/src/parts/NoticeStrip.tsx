/**
 * One line of fixed height under the state strip. The most serious notice wins; without one it says the page's quiet
 * line.
 */
import { CircleAlert, Info, TriangleAlert } from "lucide";
import type { IconNode } from "lucide";

import { ageWords } from "../lib/format";
import { t } from "../lib/i18n";
import type { LinkState } from "../lib/live";
import { Icon } from "./Icon";

export interface Notice {
  level: "alarm" | "warning" | "information" | "quiet";
  text: string;
}

const ICONS: Record<Exclude<Notice["level"], "quiet">, IconNode> = {
  alarm: CircleAlert,
  warning: TriangleAlert,
  information: Info,
};

export function NoticeStrip({ notice }: { notice: Notice }) {
  return (
    <div class="notice" data-level={notice.level} role={notice.level === "alarm" ? "alert" : "status"}>
      {notice.level !== "quiet" && <Icon of={ICONS[notice.level]} />}
      <p>{notice.text}</p>
    </div>
  );
}

/** What every page says about its connection; null while all is well. */
export function linkNotice(link: LinkState, ageS: number): Notice | null {
  if (link === "lost") return { level: "alarm", text: t("notice.lost", { age: ageWords(ageS) }) };
  if (link === "daemon") return { level: "alarm", text: t("notice.daemon", { age: ageWords(ageS) }) };
  return link === "connecting" ? { level: "information", text: t("notice.connecting") } : null;
}
