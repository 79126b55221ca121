/**
 * /gym: the wall. Machines by room, the queue with its calls, the trail, today. On a wall screen a gym that is too
 * large for one page turns its pages by itself; elsewhere it is one long page.
 */
import { useMemo, useRef } from "preact/hooks";

import "../styles/gym.css";
import { GymBoard } from "../gym/board";
import { BusyMap } from "../gym/BusyMap";
import { GymFrame, Guarded } from "../gym/frame";
import { FEW } from "../gym/places";
import { Queue } from "../gym/Queue";
import { blocksOf, Room } from "../gym/Room";
import { Trails } from "../gym/Trails";
import { fitsBelow, pagesOf } from "../gym/wall";
import { busyHeight, useMedia, useSheet, WALL } from "../gym/wallSheet";
import { nowMs } from "../lib/clock";
import { grouped } from "../lib/format";
import { t } from "../lib/i18n";
import { mount } from "../parts/mount";
import { Turner, useTurning, type Turning } from "../parts/Turner";
import type { GymView } from "../types";

/** 56 tiles are looked through in a few seconds; a large gym comes round in less than a minute. */
const TURN_MS = 10_000;

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
  const blocks = blocksOf(gym?.zones ?? [], board.assets.value);
  const tall = useMedia(WALL);
  const paged = tall && blocks.reduce((sum, block) => sum + block.items.length, 0) > FEW;
  const area = useRef<HTMLDivElement>(null);
  const sheet = useSheet(area, paged);
  const pages = pagesOf(blocks, sheet);
  // The last page says when to come, below the last rooms where there is room.
  const count = pages.length + (fitsBelow(pages, sheet, busyHeight()) ? 0 : 1);
  const turning = useTurning(paged ? count : 1, TURN_MS);
  const shown = paged ? (pages[turning.page] ?? []) : blocks.map((block) => ({ ...block, part: 1, parts: 1 }));
  return (
    <GymFrame
      board={board}
      topic="gym"
      title={t("gym.title")}
      wall={paged}
      beside={paged && <Pages turning={turning} />}
    >
      <div class="gym-wall" data-stale={board.stale} data-ticking={ticking}>
        <div class="wall-area" ref={area}>
          <div class="gym-rooms" key={turning.page}>
            {shown.map((part) => (
              <Room key={part.key} part={part} board={board} sums={paged} />
            ))}
          </div>
        </div>
        {gym && (
          <aside class="gym-side">
            <Today gym={gym} />
            <Queue board={board} entries={gym.queue} missed={gym.no_shows_today} />
            <Trails board={board} />
            {gym.limits_signed === "" && <p class="unsigned">{t("gym.unsigned")}</p>}
          </aside>
        )}
        {gym && (
          <div class="wall-busy" data-below={count === pages.length} hidden={paged && turning.page < count - 1}>
            <BusyMap gym={gym} />
          </div>
        )}
      </div>
    </GymFrame>
  );
}

function Pages({ turning }: { turning: Turning }) {
  return (
    <div class="wall-pages">
      <p>{t("gym.page", { n: turning.page + 1, of: turning.pages })}</p>
      <Turner turning={turning} label={t("gym.pages")} stoppable />
    </div>
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
