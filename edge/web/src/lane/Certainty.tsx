/** How sure it is that every plate was read: one honest line, and the reasons behind it on request. */
import { certaintyPct, oneIn } from "../lib/format";
import { known, t } from "../lib/i18n";
import type { Assurance } from "../types";

interface LineProps {
  assurance: Assurance | null;
  plates: number;
  firm: boolean;
  expanded: boolean;
  onWhy: () => void;
}

export function CertaintyLine({ assurance, plates, firm, expanded, onWhy }: LineProps) {
  return (
    <div class="certainty">
      <p>{assurance && summary(assurance, plates, firm)}</p>
      {assurance && (
        <button type="button" onClick={onWhy} aria-expanded={expanded}>
          {t(expanded ? "certainty.back" : firm ? "certainty.why" : "certainty.why_not")}
        </button>
      )}
    </div>
  );
}

/** A count that a person confirmed is the stronger word; else the bound of the stopping rule. */
function summary(assurance: Assurance, plates: number, firm: boolean): string {
  if (assurance.confirmed_plates === plates) return t("certainty.confirmed", { n: plates });
  if (!firm) return t("certainty.open", { n: plates });
  return t("certainty.line", { n: plates, pct: certaintyPct(assurance.miss_bound) });
}

export function CertaintyPane({ assurance, plates }: { assurance: Assurance; plates: number }) {
  const dead = oneIn(assurance.dead_bound);
  return (
    <div class="pane certainty-pane" tabIndex={0} role="region" aria-label={t("certainty.why")}>
      <h3>{t(assurance.failing.length === 0 ? "certainty.title" : "certainty.title_open")}</h3>
      <p>{t("certainty.passes", { passes: assurance.passes, n: plates })}</p>
      <p>{t("certainty.bound", { pct: certaintyPct(assurance.miss_bound) })}</p>
      <ul class="checks">
        {CHECKS.map((check) => (
          <Check key={check} name={check} open={assurance.failing.includes(check)} />
        ))}
      </ul>
      <h3>{t("certainty.limit")}</h3>
      {dead !== null && <p>{t("certainty.dead", { one_in: dead })}</p>}
      <p>
        {assurance.confirmed_plates === null
          ? t("certainty.count", { n: plates })
          : t("certainty.counted", { n: assurance.confirmed_plates })}
      </p>
      {!assurance.weight_checked && <p>{t("certainty.no_weight")}</p>}
    </div>
  );
}

const CHECKS = ["passes", "singletons", "residual", "incomplete", "moving"] as const;

function Check({ name, open }: { name: string; open: boolean }) {
  const key = known(`check.${name}`);
  return (
    <li data-open={open}>
      <span>{key ? t(key) : name}</span>
      <strong>{t(open ? "check.open" : "check.done")}</strong>
    </li>
  );
}
