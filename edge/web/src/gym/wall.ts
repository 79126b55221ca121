/**
 * What stands on which page of the wall. Rooms keep their order and machines their places, so that people learn where
 * to look; a room that fits on one page is never torn apart, a larger one goes on overleaf.
 */

export interface Block<T> {
  key: string;
  items: readonly T[];
}

/** What of a block stands on one page: the `part`-th of `parts`, from 1. */
export type Part<B> = B & { part: number; parts: number };

/** Heights in one unit of length: of a page, of a block's head, of a line of tiles (gaps included). */
export interface Sheet {
  height: number;
  head: number;
  line: number;
  columns: number;
}

/** A room that is torn apart anyway begins on a page only where so many lines of it find room. */
const LEAST_LINES = 2;

export function pagesOf<T, B extends Block<T>>(blocks: readonly B[], sheet: Sheet): Part<B>[][] {
  const pages: Part<B>[][] = [];
  let left = 0;
  for (const block of blocks) {
    const whole = heightOf(block.items.length, sheet) <= sheet.height;
    const least = heightOf(whole ? block.items.length : LEAST_LINES * sheet.columns, sheet);
    const own: Part<B>[] = [];
    let at = 0;
    do {
      if (pages.length === 0 || own.length > 0 || left < least) {
        pages.push([]);
        left = sheet.height;
      }
      const lines = Math.max(1, Math.floor((left - sheet.head) / sheet.line));
      const items = block.items.slice(at, at + lines * sheet.columns);
      const part = { ...block, items, part: own.length + 1, parts: 0 };
      pages.at(-1)?.push(part);
      own.push(part);
      at += items.length;
      left -= heightOf(items.length, sheet);
    } while (at < block.items.length);
    for (const part of own) part.parts = own.length;
  }
  return pages;
}

/** Whether something of this height still finds room below the last page. */
export function fitsBelow(pages: readonly Part<Block<unknown>>[][], sheet: Sheet, height: number): boolean {
  const used = pages.at(-1)?.reduce((sum, part) => sum + heightOf(part.items.length, sheet), 0) ?? 0;
  return used + height <= sheet.height;
}

function heightOf(items: number, sheet: Sheet): number {
  return sheet.head + Math.ceil(items / sheet.columns) * sheet.line;
}
