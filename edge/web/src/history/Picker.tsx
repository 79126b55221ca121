/** Which curves to show: a search and a list of buttons with the last value of each. */
import { Check, Plus } from "lucide";
import { useState } from "preact/hooks";

import { t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { HistorySeries } from "../types";
import { CHOSEN_MAX, type Archive } from "./archive";
import { isZone, zoneNote } from "./zones";
import { lastWords, quantityWord, titleOf } from "./names";

/** So many are listed; a search finds the others. */
const LISTED_MAX = 60;

export function Picker({ archive }: { archive: Archive }) {
  const [wanted, setWanted] = useState("");
  const series = archive.series.value;
  if (series === null) return <p class="empty">{t("notice.connecting")}</p>;
  const found = matching(series, wanted);
  const chosen = archive.chosen.value;
  return (
    <section class="picker" aria-label={t("history.choose")}>
      <label>
        <span>{t("history.search", { n: series.length })}</span>
        <input
          type="search"
          value={wanted}
          autocomplete="off"
          onInput={(event) => {
            setWanted(event.currentTarget.value);
          }}
        />
      </label>
      <p class="picker-how">{t("history.choose_up_to", { n: CHOSEN_MAX })}</p>
      {found.length === 0 && <p class="empty">{t(series.length === 0 ? "history.nothing" : "history.no_match")}</p>}
      <ul>
        {found.slice(0, LISTED_MAX).map((one) => (
          <li key={one.key}>
            <button
              type="button"
              class="picker-one"
              aria-pressed={chosen.includes(one.key)}
              onClick={() => {
                archive.toggle(one.key);
              }}
            >
              <Icon of={chosen.includes(one.key) ? Check : Plus} />
              <strong>{titleOf(one)}</strong>
              <span class="picker-last">{lastWords(one)}</span>
              <small>{isZone(one.key) ? zoneNote(one.key) : one.device}</small>
            </button>
          </li>
        ))}
      </ul>
      {found.length > LISTED_MAX && <p class="picker-how">{t("history.more", { n: found.length - LISTED_MAX })}</p>}
    </section>
  );
}

/** Series whose names hold every word that was typed. */
function matching(series: readonly HistorySeries[], wanted: string): readonly HistorySeries[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return series;
  return series.filter((one) => {
    const text = `${one.device} ${one.point} ${one.quantity} ${quantityWord(one.quantity)} ${one.unit}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
