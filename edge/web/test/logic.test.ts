import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { search } from "../src/cashier/book";
import { likelyTenders } from "../src/lane/CashPane";
import { newId } from "../src/lib/ids";
import { known, lang, say, t } from "../src/lib/i18n";
import { levelOf, sharePct } from "../src/lib/nutrients";
import { why } from "../src/parts/Receipt";
import type { OrderSummary, StepView } from "../src/types";

void describe("ids", () => {
  void it("are long, different and sort by time", () => {
    const many = new Set(Array.from({ length: 2000 }, () => newId()));
    assert.equal(many.size, 2000);
    for (const id of many) assert.match(id, /^[0-9a-z]{26}$/);
    assert.ok(newId(1_000) < newId(2_000_000_000_000));
  });
});

void describe("words", () => {
  void it("fill their places and keep what is not given", () => {
    lang.value = "en";
    assert.equal(t("cash.change", { fen: "¥4.70" }), "Change ¥4.70");
    assert.equal(t("cash.change"), "Change {fen}");
    assert.equal(known("no.such.key"), null);
    assert.equal(known("constructor"), null);
    assert.equal(say({ zh: "米饭", en: "" }), "米饭");
  });
});

void describe("cash", () => {
  void it("offers the exact amount, then rounder ones, none short", () => {
    assert.deepEqual(likelyTenders(1530), [1530, 1600, 2000, 5000, 10_000]);
    assert.deepEqual(likelyTenders(1800), [1800, 2000, 5000, 10_000]);
    for (let fen = 1; fen < 12_000; fen += 37) {
      const offers = likelyTenders(fen);
      assert.equal(offers[0], fen);
      assert.ok(offers.every((offer, i) => offer >= fen && (i === 0 || offer > (offers[i - 1] ?? 0))));
      assert.ok(offers.length <= 6);
    }
  });
});

void describe("traffic light", () => {
  void it("follows the limits per 100 g and per portion", () => {
    assert.equal(levelOf("fat", 3_000, 100), "low");
    assert.equal(levelOf("fat", 3_001, 100), "medium");
    assert.equal(levelOf("fat", 17_500, 100), "medium");
    assert.equal(levelOf("fat", 17_501, 100), "high");
    assert.equal(levelOf("fat", 21_001, 300), "high");
    assert.equal(levelOf("sodium", 600, 100), "medium");
    assert.equal(levelOf("sodium", 720, 600), "low");
    assert.equal(levelOf("sodium", 721, 601), "high");
    assert.equal(levelOf("protein", 1, 100), "");
    assert.equal(levelOf("fat", 1, 0), "");
    assert.equal(sharePct(20_000, 60_000), 33);
    assert.equal(sharePct(1, 0), null);
  });
});

function step(kind: string, numbers: StepView["why"]): StepView {
  const title = { zh: "", en: "" };
  return { kind, rule_id: "r", rule_version: "1", title, fen: 0, why: numbers, allocation: [] };
}

void describe("receipt", () => {
  void it("says the numbers of each step in words", () => {
    lang.value = "zh";
    assert.equal(why(step("list", { plates: 3 })), "3 盘的标价相加");
    assert.equal(why(step("discount", { rate_bp: 8500, of_fen: 1800 })), "¥18.00 按 85 % 收，四舍五入到分");
    assert.equal(why(step("special", { price_fen: 450, plates: 1 })), "今日特价 ¥4.50，1 盘");
    assert.equal(why(step("wipe_off", { unit_fen: 10 })), "抹去不足 ¥0.10 的零头");
    const subsidy = { amount_fen: 300, spend_fen: 1800, min_spend_fen: 1500, spend_basis: "list" };
    assert.equal(why(step("subsidy", subsidy)), "按标价 ¥18.00 计，满 ¥15.00 补 ¥3.00");
    assert.match(why(step("subsidy", { ...subsidy, limited_by: "daily_fen" })), /；到了当天的上限$/);
    assert.match(why(step("subsidy", { ...subsidy, not_granted: "spend_too_low" })), /；没有达到金额，本次不补$/);
  });
  void it("shows numbers that it has no words for as they are", () => {
    assert.equal(why(step("discount", { rate_bp: 8500, age: 72 })), "rate_pct 85, age 72");
    assert.equal(why(step("newer_kind", { some_fen: 100 })), "some_fen ¥1.00");
  });
});

void describe("search of orders", () => {
  const order = (id: string, lane: string, fen: number, member: string | null): OrderSummary => ({
    order_id: id,
    business_day: "2026-11-20",
    meal: "lunch",
    lane,
    member,
    category: "guest",
    status: "paid",
    list_fen: fen,
    discount_fen: 0,
    subsidy_fen: 0,
    rounding_fen: 0,
    payable_fen: fen,
    refunded_fen: 0,
    at_ns: 0,
    at_trusted: true,
  });
  const orders = [
    order("01abc", "1", 1530, "m001"),
    order("01abd", "2", 530, null),
    order("01xyz", "12", 1200, "m002"),
  ];
  const ids = (wanted: string): string[] => search(orders, wanted).map((found) => found.order_id);
  void it("needs every word to match", () => {
    assert.deepEqual(ids(""), ["01abc", "01abd", "01xyz"]);
    assert.deepEqual(ids("AB"), ["01abc", "01abd"]);
    assert.deepEqual(ids("5.30"), ["01abc", "01abd"]);
    assert.deepEqual(ids("¥15.30"), ["01abc"]);
    assert.deepEqual(ids("m001 1"), ["01abc"]);
    assert.deepEqual(ids("2"), ["01abd", "01xyz"]);
    assert.deepEqual(ids("zzz"), []);
  });
});
