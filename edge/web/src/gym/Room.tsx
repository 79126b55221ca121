/** A room on the wall, or the part of it that stands on this page. */
import { say, t } from "../lib/i18n";
import type { AssetView, ZoneUse } from "../types";
import type { GymBoard } from "./board";
import { MachineTile } from "./MachineTile";
import type { Block, Part } from "./wall";

/** A machine, or a compound in which something is out of use. */
export type Tile = { machine: AssetView } | { place: ZoneUse };

/** Up to so many compounds have their points on the wall one by one. */
const FEW_COMPOUNDS = 4;
const OUTDOORS = "outdoors";

export interface RoomBlock extends Block<Tile> {
  /** The rooms that it tells of. */
  zones: readonly ZoneUse[];
}

/** All rooms; many compounds are one block of how they are as a whole, and only those in which something is amiss. */
export function blocksOf(zones: readonly ZoneUse[], assets: readonly AssetView[]): RoomBlock[] {
  const outdoors = outdoorZones(assets);
  const summed = zones.filter((zone) => outdoors.has(zone.zone));
  const few = summed.length <= FEW_COMPOUNDS;
  const rooms = zones.filter((zone) => few || !outdoors.has(zone.zone));
  const blocks: RoomBlock[] = rooms.map((zone) => ({
    key: zone.zone,
    zones: [zone],
    items: assets.filter((asset) => asset.zone === zone.zone).map((machine) => ({ machine })),
  }));
  if (few) return blocks;
  const items = summed.filter((zone) => zone.out > 0).map((place) => ({ place }));
  return [...blocks, { key: OUTDOORS, zones: summed, items }];
}

/** Places in which there is outdoor equipment alone. */
function outdoorZones(assets: readonly AssetView[]): ReadonlySet<string> {
  const found = new Set(assets.map((one) => one.zone));
  for (const one of assets) if (one.kind !== "outdoor") found.delete(one.zone);
  return found;
}

interface Props {
  part: Part<RoomBlock>;
  board: GymBoard;
  /** Whether the head says how many are in use and out of use: where not all of them are seen at once. */
  sums: boolean;
}

export function Room({ part, board, sums }: Props) {
  const { zones, items } = part;
  const zone = zones[0];
  const summed = part.key === OUTDOORS;
  const name = summed || !zone ? t("gym.outdoors") : say(zone.name);
  return (
    <section class="room" aria-label={name}>
      <header>
        <h2>
          {name}
          {part.parts > 1 && <small> {t("gym.part", { n: part.part, of: part.parts })}</small>}
        </h2>
        {summed || !zone ? <OutdoorSums zones={zones} /> : <ZoneSums zone={zone} sums={sums} />}
      </header>
      {items.length > 0 && (
        <ul class="machines">
          {items.map((tile) =>
            "machine" in tile ? (
              <MachineTile key={tile.machine.asset} asset={tile.machine} board={board} />
            ) : (
              <PlaceTile key={tile.place.zone} zone={tile.place} />
            ),
          )}
        </ul>
      )}
    </section>
  );
}

function ZoneSums({ zone, sums }: { zone: ZoneUse; sums: boolean }) {
  return (
    <p>
      <span>{t(zone.open ? "gym.zone.open" : "gym.zone.closed")}</span>
      {zone.open && <strong>{t("gym.zone.free", { n: zone.free + zone.warm })}</strong>}
      {sums && zone.busy > 0 && <span>{t("gym.zone.busy", { n: zone.busy })}</span>}
      {sums && zone.out > 0 && <span class="room-out">{t("gym.zone.out", { n: zone.out })}</span>}
      {zone.waiting > 0 && <span>{t("gym.zone.waiting", { n: zone.waiting })}</span>}
    </p>
  );
}

function OutdoorSums({ zones }: { zones: readonly ZoneUse[] }) {
  const sum = (of: (zone: ZoneUse) => number): number => zones.reduce((all, zone) => all + of(zone), 0);
  const unheard = sum((zone) => zone.unknown);
  const points = sum((zone) => zone.free + zone.warm + zone.busy + zone.out) + unheard;
  return (
    <p>
      <span>{t("gym.outdoors.count", { places: zones.length, points })}</span>
      {unheard > 0 && <span>{t("gym.outdoors.unheard", { n: unheard })}</span>}
    </p>
  );
}

function PlaceTile({ zone }: { zone: ZoneUse }) {
  return (
    <li class="machine" data-tone="look">
      <p class="machine-place">
        <strong>{say(zone.name)}</strong>
        <span>{t("gym.outdoors.out", { n: zone.out })}</span>
      </p>
    </li>
  );
}
