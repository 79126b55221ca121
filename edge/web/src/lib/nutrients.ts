/**
 * Shares and traffic lights of a single dish for the board; the box does the same for trays. Limits per 100 g, and per
 * portion above 100 g: front-of-pack guidance of the United Kingdom (2013, updated 2016); salt is sodium x 2.5 there.
 */
import type { Nutrients } from "../types";

export type Level = "low" | "medium" | "high" | "";
export const BOARD_NUTRIENTS = ["protein", "fat", "carbohydrate", "sodium"] as const;
export type BoardNutrient = (typeof BOARD_NUTRIENTS)[number];

const LIGHTS: Partial<Record<BoardNutrient, { green: number; red: number; redPortion: number }>> = {
  fat: { green: 3_000, red: 17_500, redPortion: 21_000 },
  sodium: { green: 120, red: 600, redPortion: 720 },
};
const LIGHT_PORTION_G = 100;

export function amountMg(nutrients: Nutrients, name: BoardNutrient): number {
  return nutrients[`${name}_mg`];
}

/** Whole percent of the daily reference, null where there is none. */
export function sharePct(amount: number, daily: number): number | null {
  return daily > 0 ? Math.round((amount * 100) / daily) : null;
}

/** The traffic light of `mg` in `grams` of food; "" where none is defined. */
export function levelOf(name: BoardNutrient, mg: number, grams: number): Level {
  const light = LIGHTS[name];
  if (!light || grams < 1) return "";
  if ((grams > LIGHT_PORTION_G && mg > light.redPortion) || mg * 100 > light.red * grams) return "high";
  return mg * 100 <= light.green * grams ? "low" : "medium";
}
