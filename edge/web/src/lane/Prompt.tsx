/** The line that says what is so and what to do now; read aloud by screen readers when it changes. */
import { ArrowDownToLine, CircleAlert, CircleCheck, ListChecks, LoaderCircle, TriangleAlert } from "lucide";
import type { IconNode } from "lucide";

import { say, t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { LaneControl } from "./control";
import { promptOf, type Tone } from "./words";

const ICONS: Record<Tone, IconNode> = {
  calm: ListChecks,
  busy: LoaderCircle,
  look: TriangleAlert,
  stop: CircleAlert,
  good: CircleCheck,
};

export function PromptLine({ control, named }: { control: LaneControl; named: boolean }) {
  const prompt = promptOf(control);
  const view = control.view.value;
  const icon = control.mode.value === "empty" && prompt.tone === "calm" ? ArrowDownToLine : ICONS[prompt.tone];
  return (
    <div class="prompt" data-tone={prompt.tone} role="status">
      <Icon of={icon} />
      <div class="prompt-words">
        <h2>{prompt.title}</h2>
        <p>{prompt.todo}</p>
      </div>
      {named && <p class="prompt-lane">{view ? say(view.name) : t("lane.title", { lane: control.lane })}</p>}
    </div>
  );
}
