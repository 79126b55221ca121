/** What became of the last press: sent, confirmed, refused with its reason, or unknown. Height is reserved. */
import { t } from "../lib/i18n";
import type { Act } from "./act";

export function ActLine({ act }: { act: Act }) {
  const now = act.state.value;
  return (
    <p class="act-line" data-at={now.at} role="status">
      {now.at === "sent" && t("press.sent")}
      {now.at === "done" && t("press.done")}
      {(now.at === "refused" || now.at === "unknown") && (
        <>
          <strong>{now.title}</strong> {now.todo}
        </>
      )}
    </p>
  );
}
