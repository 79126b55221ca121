/** Put a tray together by hand: dishes of today's menu, plates that cause trouble, a card; then put it on a lane. */
import { Minus, Plus } from "lucide";
import { useState } from "preact/hooks";

import { money } from "../lib/format";
import { say, t, type Key } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { MenuItemView } from "../types";
import type { Simulator } from "./simulator";

const MAX_PLATES = 16;
const ODD = ["unknown", "unbound", "dead"] as const;
type Odd = Record<(typeof ODD)[number], number>;
const NONE: Odd = { unknown: 0, unbound: 0, dead: 0 };

interface Props {
  simulator: Simulator;
  dishes: readonly MenuItemView[];
  lanes: readonly string[];
}

export function Compose({ simulator, dishes, lanes }: Props) {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [odd, setOdd] = useState<Odd>(NONE);
  const [card, setCard] = useState("");
  const total = chosen.length + odd.unknown + odd.unbound + odd.dead;
  const full = total >= MAX_PLATES;
  const put = (lane: string): void => {
    void simulator.ask(`place.${lane}`, `/lanes/${encodeURIComponent(lane)}/tray`, { dishes: chosen, ...odd, card });
  };
  const clear = (): void => {
    setChosen([]);
    setOdd(NONE);
  };
  return (
    <>
      <section class="panel panel-dishes">
        <h2>{t("demo.compose")}</h2>
        <DishPicker
          dishes={dishes}
          chosen={chosen}
          full={full}
          onChoose={(dish) => {
            setChosen([...chosen, dish]);
          }}
        />
      </section>
      <section class="panel panel-tray">
        <h2>{t("demo.tray", { n: total })}</h2>
        <OddPlates odd={odd} full={full} onChange={setOdd} />
        <CardSelect simulator={simulator} card={card} onCard={setCard} />
        <div class="panel-row">
          {lanes.map((lane) => (
            <button
              key={lane}
              type="button"
              class="primary"
              disabled={total === 0 || simulator.asked.value !== ""}
              onClick={() => {
                put(lane);
              }}
            >
              {t(simulator.asked.value === `place.${lane}` ? "act.sent" : "demo.put", { lane })}
            </button>
          ))}
          <button type="button" disabled={total === 0} onClick={clear}>
            {t("demo.clear")}
          </button>
        </div>
      </section>
    </>
  );
}

interface PickerProps {
  dishes: readonly MenuItemView[];
  chosen: readonly string[];
  full: boolean;
  onChoose: (dish: string) => void;
}

function DishPicker({ dishes, chosen, full, onChoose }: PickerProps) {
  return (
    <ul class="picker">
      {dishes.map((dish) => {
        const times = chosen.filter((id) => id === dish.dish_id).length;
        return (
          <li key={dish.dish_id}>
            <button
              type="button"
              aria-pressed={times > 0}
              disabled={full || dish.sold_out}
              onClick={() => {
                onChoose(dish.dish_id);
              }}
            >
              <span>{say(dish.name)}</span>
              <small>{dish.sold_out ? t("menu.sold_out") : money(dish.special_fen ?? dish.price_fen)}</small>
              {times > 0 && <b>×{times}</b>}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function OddPlates({ odd, full, onChange }: { odd: Odd; full: boolean; onChange: (odd: Odd) => void }) {
  return (
    <div class="odd">
      {ODD.map((kind) => (
        <Stepper
          key={kind}
          label={`demo.${kind}`}
          value={odd[kind]}
          full={full}
          onChange={(n) => {
            onChange({ ...odd, [kind]: n });
          }}
        />
      ))}
    </div>
  );
}

interface StepperProps {
  label: Extract<Key, `demo.${(typeof ODD)[number]}`>;
  value: number;
  full: boolean;
  onChange: (n: number) => void;
}

function Stepper({ label, value, full, onChange }: StepperProps) {
  const name = t(label);
  return (
    <div class="mini-stepper" role="group" aria-label={name}>
      <span>{name}</span>
      <button
        type="button"
        aria-label={t("demo.less", { what: name })}
        disabled={value === 0}
        onClick={() => {
          onChange(value - 1);
        }}
      >
        <Icon of={Minus} />
      </button>
      <output>{value}</output>
      <button
        type="button"
        aria-label={t("demo.more", { what: name })}
        disabled={full}
        onClick={() => {
          onChange(value + 1);
        }}
      >
        <Icon of={Plus} />
      </button>
    </div>
  );
}

interface CardProps {
  simulator: Simulator;
  card: string;
  onCard: (card: string) => void;
}

function CardSelect({ simulator, card, onCard }: CardProps) {
  return (
    <label class="panel-field">
      <span>{t("demo.card")}</span>
      <select
        value={card}
        onChange={(event) => {
          onCard(event.currentTarget.value);
        }}
      >
        <option value="">{t("demo.guest")}</option>
        {(simulator.state.value?.members ?? []).map((member) => (
          <option key={member.card} value={member.card}>
            {say(member.label)}
          </option>
        ))}
      </select>
    </label>
  );
}
