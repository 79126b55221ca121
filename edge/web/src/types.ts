/** The box's types under short names, as its OpenAPI file gives them (`npm run types`). */
import type { components } from "./api";

type Schemas = components["schemas"];

export type AlarmEvent = Schemas["AlarmEvent"];
export type AlarmEventList = Schemas["AlarmEventList"];
export type AlarmKpi = Schemas["AlarmKpi"];
export type AlarmsView = Schemas["AlarmsView"];
export type AlarmView = Schemas["AlarmView"];
export type Assurance = Schemas["Assurance"];
export type DayView = Schemas["DayView"];
export type DemoState = Schemas["DemoState"];
export type GarageView = Schemas["GarageView"];
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
export type OutputView = Schemas["OutputView"];
export type PayBody = Schemas["PayBody"];
export type Phase = Schemas["Phase"];
export type PlateState = Schemas["PlateState"];
export type PlateView = Schemas["PlateView"];
export type PortView = Schemas["PortView"];
export type Purse = Schemas["Purse"];
export type Session = Schemas["Session"];
export type SessionList = Schemas["SessionList"];
export type SourceView = Schemas["SourceView"];
export type StepView = Schemas["StepView"];
export type Text = Schemas["Text"];
export type ZoneState = Schemas["ZoneState"];
export type ZoneView = Schemas["ZoneView"];
