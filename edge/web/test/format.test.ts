import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  ageWords,
  certaintyPct,
  clockTime,
  dayTimeOfNs,
  gramsOfMg,
  grouped,
  kilocalories,
  money,
  nutrientAmount,
  oneIn,
  saltGrams,
  shareWords,
  yuan,
} from "../src/lib/format";
import { lang } from "../src/lib/i18n";

void describe("money", () => {
  void it("writes fen as yuan without floats", () => {
    assert.deepEqual([0, 1, 10, 99, 100, 1530, 100_000, 1_234_567].map(yuan), [
      "0.00",
      "0.01",
      "0.10",
      "0.99",
      "1.00",
      "15.30",
      "1000.00",
      "12\u202f345.67",
    ]);
  });
  void it("puts the minus before the sign", () => {
    assert.equal(money(-270), "\u2212¥2.70");
    assert.equal(yuan(-5), "\u22120.05");
  });
});

void describe("certainty", () => {
  void it("never claims more than the bound", () => {
    assert.equal(certaintyPct(1e-4), "99.99");
    assert.equal(certaintyPct(2.54e-5), "99.99");
    assert.equal(certaintyPct(1.1e-4), "99.98");
    assert.equal(certaintyPct(0.02), "98.00");
    assert.equal(certaintyPct(1), "0.00");
    for (let i = 1; i < 2000; i += 1) {
      const bound = i / 2000;
      assert.ok(Number(certaintyPct(bound)) <= (1 - bound) * 100 + 1e-6, String(bound));
    }
  });
  void it("never says one hundred percent", () => {
    assert.equal(certaintyPct(0), "99.99");
    assert.equal(certaintyPct(1e-12), "99.99");
  });
  void it("says chances as one in N, two digits", () => {
    assert.deepEqual([3.5e-3, 0.5, 1, 1e-4].map(oneIn), [290, 2, 1, 10_000]);
    assert.equal(oneIn(0), null);
    assert.equal(oneIn(Number.NaN), null);
  });
});

void describe("food", () => {
  void it("rounds masses as labels do", () => {
    assert.deepEqual([450, 9_949, 10_000, 23_400].map(gramsOfMg), ["0.5 g", "9.9 g", "10 g", "23 g"]);
    assert.equal(nutrientAmount("energy", 2_950_499), "2950 kJ");
    assert.equal(nutrientAmount("sodium", 12_345), "12\u202f345 mg");
    assert.equal(kilocalories(4_184_000), "1000");
    assert.equal(saltGrams(906), "2.3");
    assert.equal(grouped(-12_000), "\u221212\u202f000");
  });
  void it("says every share of a day in words", () => {
    lang.value = "en";
    const said = new Set(Array.from({ length: 300 }, (_, pct) => shareWords(pct)));
    assert.equal(said.size, 11);
    assert.equal(shareWords(34), "a third of a day");
    assert.equal(shareWords(100), "a whole day");
    assert.equal(shareWords(200), "more than a day");
    lang.value = "zh";
    assert.equal(shareWords(50), "一天的一半");
  });
});

void describe("time", () => {
  void it("is Shanghai's wherever the browser is", () => {
    lang.value = "zh";
    const ms = Date.UTC(2026, 10, 20, 4, 4);
    assert.equal(clockTime(ms), "12:04");
    assert.match(dayTimeOfNs(ms * 1e6), /11月20日 12:04/);
  });
  void it("says ages in a unit that fits", () => {
    lang.value = "en";
    assert.deepEqual([0, 12, 119, 120, 7199, 7200].map(ageWords), ["0 s", "12 s", "119 s", "2 min", "120 min", "2 h"]);
  });
});
