/** The pages of the wall: nothing is left out or shown twice, and nothing stands where it finds no room. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { fitsBelow, pagesOf, type Sheet } from "../src/gym/wall";

const SHEET: Sheet = { height: 900, head: 54, line: 124, columns: 8 };

function rooms(...sizes: number[]) {
  return sizes.map((size, room) => ({
    key: `r${room}`,
    items: Array.from({ length: size }, (_, n) => `r${room}-${n}`),
  }));
}

void test("two halls of a hundred machines are four pages", () => {
  const pages = pagesOf(rooms(100, 100), SHEET);
  assert.deepEqual(pages.map((page) => page.map((one) => [one.key, one.items.length, one.part, one.parts])), [
    [["r0", 48, 1, 3]],
    [["r0", 48, 2, 3]],
    [["r0", 4, 3, 3], ["r1", 40, 1, 3]],
    [["r1", 48, 2, 3]],
    [["r1", 12, 3, 3]],
  ]);
});

void test("a room that fits on a page is never torn apart", () => {
  const pages = pagesOf(rooms(30, 40, 8), SHEET);
  assert.deepEqual(pages.map((page) => page.map((one) => [one.key, one.parts])), [[["r0", 1]], [["r1", 1], ["r2", 1]]]);
});

void test("every tile stands once, in order, on a page that has room for it", () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  for (let turn = 0; turn < 300; turn++) {
    const blocks = rooms(...Array.from({ length: random(9) }, () => random(90)));
    const sheet = { height: 300 + random(900), head: 40 + random(40), line: 80 + random(90), columns: 4 + random(6) };
    const pages = pagesOf(blocks, sheet);
    const found = pages.flat();
    assert.deepEqual(found.flatMap((one) => one.items), blocks.flatMap((one) => one.items));
    const keys = [...new Set(found.map((one) => one.key))];
    assert.deepEqual(keys, blocks.map((one) => one.key), "an empty room has a head");
    for (const page of pages) {
      const used = page.map((one) => sheet.head + Math.ceil(one.items.length / sheet.columns) * sheet.line);
      assert.ok(used.reduce((sum, one) => sum + one, 0) <= sheet.height);
    }
    for (const block of blocks) {
      const parts = found.filter((one) => one.key === block.key);
      assert.deepEqual(parts.map((one) => one.part), parts.map((_, i) => i + 1));
      assert.ok(parts.every((one) => one.parts === parts.length));
    }
  }
});

void test("a page that is not measured yet has one line", () => {
  const pages = pagesOf(rooms(20), { ...SHEET, height: 0 });
  assert.deepEqual(pages.map((page) => page[0]?.items.length), [8, 8, 4]);
});

void test("what comes last stands below the last rooms only where it does not cover them", () => {
  const pages = pagesOf(rooms(48, 9), SHEET);
  assert.equal(pages.length, 2);
  assert.ok(fitsBelow(pages, SHEET, 900 - 54 - 2 * 124));
  assert.ok(!fitsBelow(pages, SHEET, 901 - 54 - 2 * 124));
  assert.ok(fitsBelow([], SHEET, 900));
});
