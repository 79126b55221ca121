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
  return (
    <GymFrame board={board} topic="gym" title={t("gym.title")}>
      <div class="gym-wall" data-stale={board.stale} data-ticking={ticking}>
        <div class="gym-rooms">
          {gym?.zones.map((zone) => (
            <Room key={zone.zone} zone={zone} board={board} />
          ))}
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
