/** /gym: the wall. Machines by room, the queue with its calls, the trail, today. */
import { useMemo } from "preact/hooks";

import "../styles/gym.css";
import { GymBoard } from "../gym/board";
import { BusyMap } from "../gym/BusyMap";
import { GymFrame, Guarded } from "../gym/frame";
import { MachineTile } from "../gym/MachineTile";
import { Queue } from "../gym/Queue";
import { Trails } from "../gym/Trails";
import { grouped } from "../lib/format";
import { say, t } from "../lib/i18n";
import { nowMs } from "../lib/clock";
import { mount } from "../parts/mount";
import type { GymView, ZoneUse } from "../types";

function Page() {
  return (
    <Guarded topic="gym" title={t("gym.title")}>
      <Wall />
    </Guarded>
  );
}

function Wall() {
  const board = useMemo(() => new GymBoard(["gym", "asset/", "trail/"]), []);
  const gym = board.gym.value;
  // Reading the clock makes ages grow while nothing comes.
  const ticking = nowMs.value > 0;
  const zones = gym?.zones ?? [];
  const outdoors = outdoorZones(board);
  const summed = zones.filter((zone) => outdoors.has(zone.zone));
  const few = summed.length <= FEW_COMPOUNDS;
  return (
    <GymFrame board={board} topic="gym" title={t("gym.title")}>
      <div class="gym-wall" data-stale={board.stale} data-ticking={ticking}>
        <div class="gym-rooms">
          {zones.filter((zone) => few || !outdoors.has(zone.zone)).map((zone) => (
            <Room key={zone.zone} zone={zone} board={board} />
          ))}
          {!few && <Outdoors zones={summed} />}
        </div>
        {gym && (
          <aside class="gym-side">
            <Today gym={gym} />
            <Queue board={board} entries={gym.queue} missed={gym.no_shows_today} />
            <Trails board={board} />
            {gym.limits_signed === "" && <p class="unsigned">{t("gym.unsigned")}</p>}
          </aside>
        )}
        {gym && <BusyMap gym={gym} />}
      </div>
    </GymFrame>
  );
}

function Room({ zone, board }: { zone: ZoneUse; board: GymBoard }) {
  const machines = board.assets.value.filter((asset) => asset.zone === zone.zone);
  return (
    <section class="room" aria-label={say(zone.name)}>
      <header>
        <h2>{say(zone.name)}</h2>
        <p>
          <span>{t(zone.open ? "gym.zone.open" : "gym.zone.closed")}</span>
          {zone.open && <strong>{t("gym.zone.free", { n: zone.free + zone.warm })}</strong>}
          {zone.waiting > 0 && <span>{t("gym.zone.waiting", { n: zone.waiting })}</span>}
        </p>
      </header>
      <ul class="machines">
        {machines.map((asset) => (
          <MachineTile key={asset.asset} asset={asset} board={board} />
        ))}
      </ul>
    </section>
  );
}

/** Up to so many compounds have their points on the wall one by one. */
const FEW_COMPOUNDS = 4;

/** Places in which there is outdoor equipment alone. */
function outdoorZones(board: GymBoard): ReadonlySet<string> {
  const found = new Set(board.assets.value.map((one) => one.zone));
  for (const one of board.assets.value) if (one.kind !== "outdoor") found.delete(one.zone);
  return found;
}

/** Many compounds: how they are as a whole, and only those in which something is out of use. */
function Outdoors({ zones }: { zones: readonly ZoneUse[] }) {
  const sum = (of: (zone: ZoneUse) => number): number => zones.reduce((all, zone) => all + of(zone), 0);
  const points = sum((zone) => zone.free + zone.warm + zone.busy + zone.out + zone.unknown);
  const out = zones.filter((zone) => zone.out > 0);
  return (
    <section class="room" aria-label={t("gym.outdoors")}>
      <header>
        <h2>{t("gym.outdoors")}</h2>
        <p>
          <span>{t("gym.outdoors.count", { places: zones.length, points })}</span>
          {sum((zone) => zone.unknown) > 0 && (
            <span>{t("gym.outdoors.unheard", { n: sum((zone) => zone.unknown) })}</span>
          )}
        </p>
      </header>
      {out.length > 0 && (
        <ul class="rows">
          {out.map((zone) => (
            <li key={zone.zone} data-level="look">
              <strong>{say(zone.name)}</strong>
              <span>{t("gym.outdoors.out", { n: zone.out })}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Today({ gym }: { gym: GymView }) {
  const rows: [string, string][] = [
    [grouped(gym.workouts_today), t("gym.today.workouts")],
    [grouped(gym.active_min_today), t("gym.today.minutes")],
    [gym.distance_km_today.toFixed(1), t("gym.today.km")],
  ];
  return (
    <section class="panel gym-today">
      <h2>{t("gym.today")}</h2>
      <dl>
        {rows.map(([value, name]) => (
          <div key={name}>
            <dd>{value}</dd>
            <dt>{name}</dt>
          </div>
        ))}
      </dl>
    </section>
  );
}

mount(Page, "page.gym");
