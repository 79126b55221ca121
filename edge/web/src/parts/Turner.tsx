/** Pages of a wall that turn by themselves, for what does not fit on one. They swap in place: nothing slides. */
import { Pause, Play } from "lucide";
import { useEffect, useState } from "preact/hooks";

import { t } from "../lib/i18n";
import { Icon } from "./Icon";

/** After somebody chose a page, it stays for a while. */
const CHOSEN_MS = 60_000;

export interface Turning {
  pages: number;
  page: number;
  choose: (page: number) => void;
  held: boolean;
  hold: (held: boolean) => void;
}

/** The page shown, turning by itself every `turnMs`; choosing one keeps it for a minute, `hold` until it is let go. */
export function useTurning(pages: number, turnMs: number): Turning {
  const [state, setState] = useState({ page: 0, waitMs: turnMs });
  const [held, hold] = useState(false);
  useEffect(() => {
    if (pages < 2 || held) return;
    const timer = window.setTimeout(() => {
      setState({ page: (state.page + 1) % pages, waitMs: turnMs });
    }, state.waitMs);
    return () => {
      window.clearTimeout(timer);
    };
  }, [pages, state, held, turnMs]);
  const choose = (page: number): void => {
    setState({ page, waitMs: CHOSEN_MS });
  };
  return { pages, page: Math.min(state.page, pages - 1), choose, held, hold };
}

interface Props {
  turning: Turning;
  label: string;
  /** Whether turning can be stopped. */
  stoppable?: boolean;
}

export function Turner({ turning, label, stoppable = false }: Props) {
  const { pages, page, choose, held, hold } = turning;
  if (pages < 2) return null;
  return (
    <div class="turner" role="group" aria-label={label}>
      {Array.from({ length: pages }, (_, i) => (
        <button
          key={i}
          type="button"
          aria-pressed={i === page}
          onClick={() => {
            choose(i);
          }}
        >
          {i + 1}
        </button>
      ))}
      {stoppable && (
        <button
          type="button"
          class="turner-hold"
          aria-pressed={held}
          onClick={() => {
            hold(!held);
          }}
        >
          <Icon of={held ? Play : Pause} />
          {t(held ? "turner.go" : "turner.hold")}
        </button>
      )}
    </div>
  );
}
