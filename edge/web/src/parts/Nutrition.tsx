/** What is in the tray: amount, share of a day as a bar and in words, and a word where a traffic light exists. */
import { TriangleAlert } from "lucide";

import { kilocalories, nutrientAmount, saltGrams, shareWords } from "../lib/format";
import { known, t } from "../lib/i18n";
import type { NutrientShare } from "../types";
import { Icon } from "./Icon";

const SHOWN = ["energy", "protein", "fat", "carbohydrate", "sodium"] as const;

export function Nutrition({ shares }: { shares: readonly NutrientShare[] }) {
  return (
    <dl class="nutrition" aria-label={t("nutrition.title")}>
      {SHOWN.map((name) => (
        <Nutrient key={name} name={name} share={shares.find((share) => share.nutrient === name)} />
      ))}
    </dl>
  );
}

function Nutrient({ name, share }: { name: (typeof SHOWN)[number]; share: NutrientShare | undefined }) {
  const { amount, share_pct, level } = share ?? NOTHING;
  const none = t(share ? "nutrition.unknown" : "nutrition.none");
  return (
    <div class="nutrient" data-level={level}>
      <dt>
        {t(`nutrient.${name}`)}
        <LevelWord level={level} />
      </dt>
      <dd>
        <strong>{amount === null ? none : nutrientAmount(name, amount)}</strong>
        <small>{amount === null ? "" : aside(name, amount)}</small>
        <Bar pct={share_pct} />
        <span class="nutrient-share">{share_pct === null ? "" : shareWords(share_pct)}</span>
      </dd>
    </div>
  );
}

const NOTHING = { amount: null, share_pct: null, level: "" };

/** The traffic light as a word; the sign stands beside "high" so that colour is not alone. */
function LevelWord({ level }: { level: string }) {
  const key = known(`short.${level}`);
  if (!key) return null;
  return (
    <span class="nutrient-level">
      {level === "high" && <Icon of={TriangleAlert} />}
      <span>{t(key)}</span>
    </span>
  );
}

function aside(name: string, amount: number): string {
  if (name === "energy") return t("nutrition.kcal", { n: kilocalories(amount) });
  return name === "sodium" ? t("nutrition.salt", { g: saltGrams(amount) }) : "";
}

/** A day's reference is the whole bar, with a tick at a third: one of three meals. */
export function Bar({ pct }: { pct: number | null }) {
  return (
    <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-day" width="100" height="10" />
      {pct !== null && <rect class="bar-fill" width={Math.min(100, pct)} height="10" />}
      <rect class="bar-meal" x="33" width="0.8" height="10" />
    </svg>
  );
}
