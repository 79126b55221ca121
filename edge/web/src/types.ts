/** The box's types under short names, as its OpenAPI file gives them (`npm run types`). */
import type { components } from "./api";

type Schemas = components["schemas"];

export type Assurance = Schemas["Assurance"];
export type DayView = Schemas["DayView"];
export type DemoState = Schemas["DemoState"];
export type Info = Schemas["SystemInfo"];
export type LaneView = Schemas["LaneView"];
export type Me = Schemas["Me"];
export type MenuItemView = Schemas["MenuItemView"];
export type MenuView = Schemas["MenuView"];
export type NutrientShare = Schemas["NutrientShare"];
export type Nutrients = Schemas["Nutrients"];
export type Order = Schemas["Order"];
export type OrderLine = Schemas["OrderLine"];
export type OrderList = Schemas["OrderList"];
export type OrderSummary = Schemas["OrderSummary"];
export type PayBody = Schemas["PayBody"];
export type Phase = Schemas["Phase"];
export type PlateState = Schemas["PlateState"];
export type PlateView = Schemas["PlateView"];
export type Purse = Schemas["Purse"];
export type StepView = Schemas["StepView"];
export type Text = Schemas["Text"];
