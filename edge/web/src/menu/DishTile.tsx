/** One dish on the board: name and price first, then what is left, then what is in it. */
import { TriangleAlert } from "lucide";

import { gramsOfMg, grouped, kilojoule, money, yuan } from "../lib/format";
import { known, lang, say, t } from "../lib/i18n";
import { amountMg, BOARD_NUTRIENTS, levelOf, sharePct, type BoardNutrient } from "../lib/nutrients";
import { Icon } from "../parts/Icon";
import { Money } from "../parts/Money";
import { Bar } from "../parts/Nutrition";
import type { MenuItemView, Nutrients } from "../types";

/** From so few portions on, the number is worth a glance. */
const FEW = 2;

export function DishTile({ dish, daily }: { dish: MenuItemView; daily: Nutrients }) {
  const name = say(dish.name);
  return (
    <li class="dish" data-out={dish.sold_out} data-long={lang.value === "en" ? name.length > 22 : name.length > 7}>
      <h2>{name}</h2>
      <p class="dish-price">
        <Money fen={dish.special_fen ?? dish.price_fen} class="dish-money" />
        {dish.priced_by === "weight" && <small>{t("menu.per", { g: dish.portion_g })}</small>}
        <Left dish={dish} />
      </p>
      <p class="dish-facts">
        <span>{kilojoule(dish.nutrients.energy_j)}</span>
        <Marks marks={dish.marks} />
        {dish.special_fen !== null && <Special was={dish.price_fen} />}
      </p>
      <p class="dish-allergens">{dish.allergens.length > 0 && contains(dish.allergens)}</p>
      <dl class="dish-nutrients">
        {BOARD_NUTRIENTS.map((nutrient) => (
          <Nutrient key={nutrient} name={nutrient} dish={dish} daily={daily} />
        ))}
      </dl>
    </li>
  );
}

function Special({ was }: { was: number }) {
  return (
    <span class="dish-special">
      <em>{t("menu.special")}</em>
      <span class="hidden">{t("menu.was", { fen: money(was) })}</span>
      <s aria-hidden="true">{yuan(was)}</s>
    </span>
  );
}

/** Portions left; nothing where nobody counts them, for a guess would be worse. */
function Left({ dish }: { dish: MenuItemView }) {
  if (dish.sold_out) return <strong class="dish-left">{t("menu.sold_out")}</strong>;
  if (dish.bound === 0) return <span class="dish-left" />;
  const left = dish.bound - dish.sold;
  return (
    <span class="dish-left" data-few={left <= FEW}>
      {t("menu.left", { n: left })}
    </span>
  );
}

function Marks({ marks }: { marks: readonly string[] }) {
  return (
    <>
      {marks.map((mark) => {
        const key = known(`mark.${mark}`);
        return key && <b key={mark}>{t(key)}</b>;
      })}
    </>
  );
}

function contains(codes: readonly string[]): string {
  return t("menu.contains", { what: codes.map(allergen).join(t("menu.comma")) });
}

function allergen(code: string): string {
  const key = known(`allergen.${code}`);
  return key ? t(key) : code.replaceAll("_", " ");
}

function Nutrient({ name, dish, daily }: { name: BoardNutrient; dish: MenuItemView; daily: Nutrients }) {
  const mg = amountMg(dish.nutrients, name);
  const level = levelOf(name, mg, dish.portion_g);
  const word = known(`short.${level}`);
  return (
    <div data-level={level}>
      <dt>{t(`short.${name}`)}</dt>
      <dd>
        <Bar pct={sharePct(mg, amountMg(daily, name))} />
        <span>
          {level === "high" && <Icon of={TriangleAlert} />}
          {word ? t(word) : name === "sodium" ? `${grouped(mg)} mg` : gramsOfMg(mg)}
        </span>
      </dd>
    </div>
  );
}
