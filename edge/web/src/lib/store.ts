/**
 * What a page keeps on its own disk. Storage may be full, forbidden or missing (private windows): then the value
 * lives as long as the page. The hard part is the pending payment: it must be on disk before the first send.
 */

const memory = new Map<string, string>();

function disk(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/** The value kept under `key`, null when there is none. */
export function kept(key: string): string | null {
  try {
    return disk()?.getItem(key) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}

/** Keeps `value`; returns whether it is on disk and so survives a reload. */
export function keep(key: string, value: string): boolean {
  memory.set(key, value);
  try {
    const storage = disk();
    storage?.setItem(key, value);
    return storage !== null;
  } catch {
    return false;
  }
}

/** Forgets `key`. */
export function forget(key: string): void {
  memory.delete(key);
  try {
    disk()?.removeItem(key);
  } catch {
    // Nothing was on disk then.
  }
}
