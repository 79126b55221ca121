/** A machine on the wall: its use in a word, a shape and a place; what is wrong stands out, what is fine is quiet. */
import { CircleCheck, CircleHelp, Clock, Lock, PersonStanding, TriangleAlert, Waves } from "lucide";
import type { IconNode } from "lucide";

import { ageWords } from "../lib/format";
import { say, t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { AssetView } from "../types";
import type { GymBoard } from "./board";
import { useTone, word } from "./words";

const ICONS: Record<string, IconNode> = {
  free: CircleCheck,
  warm: Waves,
  busy: PersonStanding,
  fault: TriangleAlert,
  locked: Lock,
  closed: Clock,
  unknown: CircleHelp,
};

/** A machine that spoke within this time needs no age on the wall. */
const QUIET_S = 60;

export function MachineTile({ asset, board }: { asset: AssetView; board: GymBoard }) {
  const heldS = board.live.heldS(`asset/${asset.asset}`);
  return (
    <li class="machine" data-use={asset.use} data-tone={useTone(asset.use)} data-stale={board.stale}>
      <a href={`/machine/${encodeURIComponent(asset.asset)}`}>
        <h3>{say(asset.name)}</h3>
        <p class="machine-use">
          <Icon of={ICONS[asset.use] ?? CircleHelp} />
          <strong>{word("use", asset.use)}</strong>
        </p>
        <p class="machine-more">
          {board.stale ? t("gym.stale", { age: ageWords(heldS) }) : moreWords(asset, heldS)}
        </p>
      </a>
    </li>
  );
}

/** What a visitor needs beyond the use: what goes on, or since when nothing was heard. All being well needs no word. */
function moreWords(asset: AssetView, heldS: number): string {
  if (asset.phase !== "idle") return word("phase.gym", asset.phase);
  if (asset.heard_ago_s === null) return t("gym.unheard");
  const age = asset.heard_ago_s + heldS;
  return age < QUIET_S ? "" : t("gym.heard", { age: ageWords(age) });
}
