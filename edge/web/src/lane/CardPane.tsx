/**
 * Identify the member: hold the card to the reader (it types like a keyboard). In the demo a list stands in for the
 * cards.
 */
import { CreditCard } from "lucide";

import { say, t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { Text } from "../types";
import type { LaneControl } from "./control";

export interface DemoCard {
  card: string;
  label: Text;
}

export function CardPane({ control, cards }: { control: LaneControl; cards: readonly DemoCard[] }) {
  return (
    <div class="pane card-pane">
      <div class="card-ask">
        <Icon of={CreditCard} />
        <h3>{t("card.title")}</h3>
        <p>{t("card.do")}</p>
      </div>
      {cards.length > 0 && (
        <>
          <p class="card-demo">{t("card.demo")}</p>
          <ul class="card-list">
            {cards.map((card) => (
              <li key={card.card}>
                <button
                  type="button"
                  disabled={control.sent.value !== "" || control.stale.value}
                  onClick={() => void control.identify(card.card)}
                >
                  {say(card.label)}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
