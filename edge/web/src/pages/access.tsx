/** /garage/access: the doors as they stand now, and their journal: who came, was refused, broke in. For staff. */
import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";

import "../styles/garage.css";
import { AccessRows } from "../garage/AccessRows";
import { Board } from "../garage/board";
import { doorLevel, leafWord, troubleOf } from "../garage/Doors";
import { GarageFrame, Guarded, STAFF_ROLES } from "../garage/frame";
import { say, t } from "../lib/i18n";
import { mount } from "../parts/mount";
import type { DoorView } from "../types";

function Page() {
  return (
    <Guarded topic="access" title={t("access.title")} roles={STAFF_ROLES}>
      <Access />
    </Guarded>
  );
}

function Access() {
  const board = useMemo(() => new Board(["garage", "alarms", "zone/"]), []);
  const [chosen, choose] = useState("");
  const doors = board.zones.value.flatMap((zone) => [...zone.doors]);
  const stale = board.live.state.value !== "live";
  // A door counts its lines: the journal is read again when one of them has more.
  const news = useComputed(() => board.zones.value.flatMap((zone) => zone.doors.map((door) => door.events)).join());
  const [heard, hear] = useState("");
  useEffect(() => news.subscribe(hear), [news]);
  return (
    <GarageFrame board={board} topic="access" title={t("access.title")}>
      <div class="access-page" data-stale={stale}>
        <div class="door-tiles" role="group" aria-label={t("access.which")}>
          <button
            type="button"
            aria-pressed={chosen === ""}
            onClick={() => {
              choose("");
            }}
          >
            <strong>{t("access.all")}</strong>
            <span>{t("access.count", { n: doors.length })}</span>
          </button>
          {doors.map((door) => (
            <DoorTile key={door.door} door={door} chosen={chosen === door.door} stale={stale} onChoose={choose} />
          ))}
        </div>
        <AccessRows key={chosen} door={chosen} news={heard} />
      </div>
    </GarageFrame>
  );
}

interface TileProps {
  door: DoorView;
  chosen: boolean;
  stale: boolean;
  onChoose: (door: string) => void;
}

function DoorTile({ door, chosen, stale, onChoose }: TileProps) {
  const leaf = door.trouble === "" ? leafWord(door) : troubleOf(door);
  const now = `${t(`door.${door.lock}`)} · ${leaf}`;
  return (
    <button
      type="button"
      aria-pressed={chosen}
      data-level={stale ? "quiet" : doorLevel(door)}
      onClick={() => {
        onChoose(door.door);
      }}
    >
      <strong>{say(door.name)}</strong>
      <span>{stale ? t("access.stale", { was: now }) : now}</span>
    </button>
  );
}

mount(Page, "page.access");
