/** Outline icons of the lucide set, one import each. Beside a word they are decoration; alone they need a label. */
import type { IconNode } from "lucide";
import { h } from "preact";

export function Icon({ of, label }: { of: IconNode; label?: string }) {
  const named = label === undefined ? { "aria-hidden": true } : { role: "img" as const, "aria-label": label };
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      {...named}
    >
      {of.map(([tag, attrs], i) => h(tag, { ...attrs, key: i }))}
    </svg>
  );
}
