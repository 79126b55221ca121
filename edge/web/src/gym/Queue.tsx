/** Who waits, in order; who is called, where to, and how long the place is kept. */
import { ageWords } from "../lib/format";
import { t } from "../lib/i18n";
import { me } from "../lib/session";
import type { QueueEntry } from "../types";
import type { GymBoard } from "./board";
import { word } from "./words";

const SHOWN = 8;

interface Props {
  board: GymBoard;
  entries: readonly QueueEntry[];
  /** Who was called today and did not come. */
  missed: number;
}

export function Queue({ board, entries, missed }: Props) {
  return (
    <section class="panel gym-queue">
      <h2>{t("queue.title")}</h2>
      {entries.length === 0 && <p class="muted">{t("queue.none")}</p>}
      <ol>
        {entries.slice(0, SHOWN).map((entry) => (
          <li key={`${entry.zone}.${entry.kind}.${entry.place}`} data-called={entry.called_asset !== ""}>
            <strong>{t("queue.place", { n: entry.place })}</strong>
            <span>{word("kind", entry.kind)}</span>
            {entry.person !== "" && <span>{entry.person === me.value?.member ? t("queue.mine") : entry.person}</span>}
            <span>
              {entry.called_asset === ""
                ? t("queue.waiting", { age: ageWords(entry.waiting_s) })
                : t("queue.called", { name: board.nameOf(entry.called_asset), left: ageWords(entry.grace_left_s) })}
            </span>
          </li>
        ))}
      </ol>
      {missed > 0 && <p class="muted">{t("queue.no_shows", { n: missed })}</p>}
    </section>
  );
}
