/**
 * Ids made by the terminal before the first send. `crypto.randomUUID` needs a secure context, which plain http in a
 * LAN is not; `crypto.getRandomValues` is always there.
 */

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARS = 10;
const RANDOM_BYTES = 16;

/** 26 characters: 50 bits of milliseconds since 1970, so that ids sort by time, then 80 random bits. */
export function newId(nowMs: number = Date.now()): string {
  let time = "";
  for (let rest = nowMs, i = 0; i < TIME_CHARS; i += 1) {
    time = `${ALPHABET[rest % 32] ?? ""}${time}`;
    rest = Math.floor(rest / 32);
  }
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  return time + Array.from(random, (byte) => ALPHABET[byte % 32] ?? "").join("");
}
