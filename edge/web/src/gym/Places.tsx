/** Things by place, each place a line with what is wrong in it; a place is drawn when somebody opens it. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import "../styles/gym-places.css";
import { t } from "../lib/i18n";
import { OPEN_AT_ONCE, type Place } from "./places";

interface Props<T> {
  places: readonly Place<T>[];
  nameOf: (zone: string) => string;
  /** What is to be said of the things in a place: `[words, is a trouble]`. */
  told: (items: readonly T[]) => readonly (readonly [string, boolean])[];
  draw: (items: readonly T[]) => ComponentChildren;
}

export function Places<T>({ places, nameOf, told, draw }: Props<T>) {
  // What somebody opened or closed against how it begins.
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const few = places.reduce((sum, one) => sum + one.items.length, 0) <= OPEN_AT_ONCE;
  return (
    <ul class="places">
      {places.map(({ zone, items }) => {
        const open = few !== turned.has(zone);
        return (
          <li key={zone} class="place" data-open={open}>
            <button
              type="button"
              class="place-head"
              aria-expanded={open}
              onClick={() => {
                const next = new Set(turned);
                if (!next.delete(zone)) next.add(zone);
                setTurned(next);
              }}
            >
              <strong>{nameOf(zone)}</strong>
              <span>{t("places.count", { n: items.length })}</span>
              {told(items).map(([words, trouble]) =>
                trouble ? <em key={words}>{words}</em> : <span key={words}>{words}</span>,
              )}
            </button>
            {open && draw(items)}
          </li>
        );
      })}
    </ul>
  );
}

interface ChipsProps<K extends string> {
  label: string;
  chosen: K;
  chips: readonly (readonly [key: K, words: string, count: number])[];
  onChoose: (key: K) => void;
}

/** Which of a long list is wanted, with how many there are of each. */
export function Chips<K extends string>({ label, chosen, chips, onChoose }: ChipsProps<K>) {
  return (
    <div class="chips" role="group" aria-label={label}>
      {chips.map(([key, words, count]) => (
        <button
          key={key}
          type="button"
          aria-pressed={key === chosen}
          onClick={() => {
            onChoose(key);
          }}
        >
          {words} <strong>{count}</strong>
        </button>
      ))}
    </div>
  );
}
