/** An amount: small currency sign, large tabular digits; a dash where there is none. */
import { yuan } from "../lib/format";

export function Money({ fen, class: name = "" }: { fen: number | null; class?: string }) {
  if (fen === null) return <span class={`money money-none ${name}`}>—</span>;
  return (
    <span class={`money ${name}`}>
      <span class="money-sign">{fen < 0 ? "\u2212¥" : "¥"}</span>
      <span class="money-digits">{yuan(Math.abs(fen))}</span>
    </span>
  );
}
