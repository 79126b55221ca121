/** A receipt that explains every fen: each step with its rule and numbers, then each plate's share of every step. */
import { grams as gramsText, money } from "../lib/format";
import { known, say, t, type Params } from "../lib/i18n";
import type { StepView, Text } from "../types";

export interface ReceiptLine {
  key: string;
  name: Text | null;
  grams: number | null;
  note?: string;
}

interface Props {
  steps: readonly StepView[];
  lines: readonly ReceiptLine[];
  payableFen: number;
}

export function Receipt({ steps, lines, payableFen }: Props) {
  return (
    <div class="pane receipt" tabIndex={0} role="region" aria-label={t("receipt.title")}>
      <h3>{t("receipt.title")}</h3>
      <ol class="receipt-steps">
        {steps.map((step) => (
          <li key={`${step.rule_id}.${step.kind}`}>
            <span class="receipt-name">{say(step.title)}</span>
            <span class="receipt-fen">{money(step.fen)}</span>
            <span class="receipt-why">{why(step)}</span>
            <span class="receipt-rule">{t("receipt.rule", { id: step.rule_id, version: step.rule_version })}</span>
          </li>
        ))}
        <li class="receipt-sum">
          <span class="receipt-name">{t("total.payable")}</span>
          <span class="receipt-fen">{money(payableFen)}</span>
        </li>
      </ol>
      <h3>{t("receipt.lines")}</h3>
      <ol class="receipt-lines">
        {lines.map((line, i) => (
          <li key={line.key}>
            <span class="receipt-name">
              {line.name ? say(line.name) : line.key}
              {line.grams !== null && <small>{gramsText(line.grams)}</small>}
              {line.note && <small>{line.note}</small>}
            </span>
            <span class="receipt-fen">{money(shareOf(steps, i))}</span>
            <span class="receipt-why">{sumText(steps, i)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function shareOf(steps: readonly StepView[], line: number): number {
  return steps.reduce((sum, step) => sum + (step.allocation[line] ?? 0), 0);
}

/** "12.00 − 1.80 − 1.33" of one plate. */
function sumText(steps: readonly StepView[], line: number): string {
  const shares = steps.map((step) => step.allocation[line] ?? 0).filter((fen, i) => i === 0 || fen !== 0);
  if (shares.length < 2) return "";
  return shares.map((fen, i) => (i === 0 ? money(fen) : `${fen < 0 ? "−" : "+"} ${money(Math.abs(fen))}`)).join(" ");
}

/** The numbers of a step in words. Amounts in fen become money, a rate in basis points a percentage. */
export function why(step: StepView): string {
  const params: Params = {};
  for (const [name, value] of Object.entries(step.why)) {
    if (typeof value === "string") params[name] = value;
    else if (name.endsWith("_fen")) params[name] = money(value);
    else if (name.endsWith("_bp")) params[name.replace(/_bp$/, "_pct")] = value / 100;
    else params[name] = value;
  }
  const basis = known(`why.basis.${String(step.why["spend_basis"])}`);
  if (basis) params["basis"] = t(basis);
  const parts = [known(`why.${step.kind}`), known(`why.not.${String(step.why["not_granted"])}`)];
  parts.push(known(`why.limit.${String(step.why["limited_by"])}`));
  const said = parts.filter((key) => key !== null).map((key) => t(key, params));
  // A rule of a newer box may give other numbers than the words expect: then all of them, as they are.
  if (said.length > 0 && !said.some((text) => text.includes("{"))) return said.join(t("why.joint"));
  return Object.entries(params)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}
