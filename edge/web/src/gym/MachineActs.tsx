/** What a visitor may do at a machine: only what makes sense now is offered, each with its consequence. */
import { useMemo } from "preact/hooks";

import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { useSettled } from "../parts/settled";
import { t, type Key } from "../lib/i18n";
import { me } from "../lib/session";
import type { AssetView } from "../types";
import type { GymBoard } from "./board";
import { kindOf } from "./words";

interface Way {
  key: Key;
  does: Key;
  path: string;
  body?: object;
  primary?: boolean;
}

interface Props {
  asset: AssetView;
  mine: boolean;
  board: GymBoard;
}

export function MachineActs({ asset, mine, board }: Props) {
  const act = useMemo(() => new Act("gym"), []);
  const member = me.value?.member ?? "";
  const waits = board.gym.value?.queue.some((entry) => entry.person !== "" && entry.person === member) ?? false;
  const ways = member === "" ? staffWays(asset) : [...ownWays(asset, mine), ...queueWays(asset, mine, waits)];
  const settled = useSettled(ways.map((way) => way.key).join(" "));
  return (
    <section class="machine-acts">
      {me.value?.role === "panel" && <p class="muted">{t("machine.guest")}</p>}
      {ways.map((way) => (
        <button
          key={way.key}
          type="button"
          class={`act ${way.primary === true ? "primary big" : ""}`}
          disabled={act.state.value.at === "sent"}
          aria-disabled={!settled}
          onClick={() => {
            if (settled) void act.send(way.path, way.body ?? {});
          }}
        >
          <span>{t(way.key, { kind: kindOf(asset) })}</span>
          <small>{t(way.does)}</small>
        </button>
      ))}
      <ActLine act={act} />
    </section>
  );
}

function leave(asset: AssetView, primary: boolean): Way {
  const path = `/assets/${encodeURIComponent(asset.asset)}/leave`;
  return { key: "machine.leave", does: "machine.leave.does", path, primary };
}

function staffWays(asset: AssetView): Way[] {
  return asset.use === "busy" ? [leave(asset, false)] : [];
}

function ownWays(asset: AssetView, mine: boolean): Way[] {
  const claim = `/assets/${encodeURIComponent(asset.asset)}/claim`;
  if (mine) return [leave(asset, true)];
  if (asset.use === "free" || asset.use === "warm") {
    return [{ key: "machine.claim", does: "machine.claim.does", path: claim, primary: true }];
  }
  if (asset.workout_id === "" || asset.person !== "") return [];
  const path = `/workouts/${encodeURIComponent(asset.workout_id)}/claim`;
  return [{ key: "machine.mine", does: "machine.mine.does", path, primary: true }];
}

function queueWays(asset: AssetView, mine: boolean, waits: boolean): Way[] {
  if (waits) return [{ key: "queue.leave", does: "queue.leave.does", path: "/queue/leave" }];
  if (mine || asset.use !== "busy") return [];
  const body = { zone: asset.zone, kind: asset.kind };
  return [{ key: "queue.join", does: "queue.join.does", path: "/queue/join", body }];
}
