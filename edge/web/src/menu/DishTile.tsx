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

/** Widths in half characters: a Chinese character counts two, others one. */
const LONG_NAME = { zh: 14, en: 22 } as const;
const LINE = { zh: 27, en: 34 } as const;

function widthOf(text: string): number {
  return Array.from(text).reduce((sum, char) => sum + (char > "\u2e7f" ? 2 : 1), 0);
}

/** How many lines more than usual a tile needs for its name, marks and allergens: then its letters are smaller. */
function crowded(dish: MenuItemView): number {
  const marks = dish.marks.reduce((sum, mark) => sum + 3 + widthOf(markWord(mark)), 0);
  const facts = 8 + marks + (dish.special_fen === null ? 0 : 14);
  const allergens = dish.allergens.length > 0 ? widthOf(contains(dish.allergens)) : 0;
  const widths = [widthOf(say(dish.name)) * 1.3, facts, allergens];
  return Math.min(3, widths.reduce((lines, width) => lines + Math.max(0, Math.ceil(width / LINE[lang.value]) - 1), 0));
}

export function DishTile({ dish, daily }: { dish: MenuItemView; daily: Nutrients }) {
  const name = say(dish.name);
  return (
    <li
      class="dish"
      data-out={dish.sold_out}
      data-long={widthOf(name) > LONG_NAME[lang.value]}
      data-crowded={crowded(dish)}
    >
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
      {marks.map((mark) => markWord(mark) && <b key={mark}>{markWord(mark)}</b>)}
    </>
  );
}

function markWord(mark: string): string {
  const key = known(`mark.${mark}`);
  return key ? t(key) : "";
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
