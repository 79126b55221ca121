/** The plates on the tray, one row each; a plate that stops payment says why in its own row. */
import { TriangleAlert } from "lucide";

import { grams, money } from "../lib/format";
import { known, say, t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { LaneView, PlateView } from "../types";
import { TrayDrawing } from "./TrayDrawing";
import { ownPlates, plateMark, plateReason } from "./words";

/** From so many plates on, rows are lower; beyond, the list stands in two columns. */
const ROOMY = 5;
const ONE_COLUMN = 8;

export function Plates({ view }: { view: LaneView | undefined }) {
  const plates = view ? ownPlates(view) : [];
  if (!view || plates.length === 0) return <TrayDrawing quiet={view?.phase === "offline"} />;
  const count = plates.length;
  const density = count <= ROOMY ? "roomy" : count <= ONE_COLUMN ? "close" : "columns";
  return (
    <ul class="plates" data-density={density} aria-label={t("lane.plates")}>
      {plates.map((plate) => (
        <PlateRow key={plate.uid} plate={plate} settled={view.phase !== "reading"} />
      ))}
    </ul>
  );
}

function PlateRow({ plate, settled }: { plate: PlateView; settled: boolean }) {
  const name = plate.name ? say(plate.name) : t("plate.label", { label: plateMark(plate) });
  if (plate.state !== "priced") {
    return (
      <li class="plate" data-blocks={plate.blocks}>
        <Icon of={TriangleAlert} />
        <span class="plate-name">{name}</span>
        <span class="plate-why">
          {plateReason(plate.state, plate.other_lane)}
          {plate.name && ` · ${t("plate.label", { label: plateMark(plate) })}`}
        </span>
      </li>
    );
  }
  return (
    <li class="plate" data-new={!settled && plate.seen < 2}>
      <span class="plate-name">{name}</span>
      <span class="plate-marks">
        {plate.marks.map((mark) => {
          const key = known(`mark.${mark}`);
          return key && <span key={mark}>{t(key)}</span>;
        })}
      </span>
      <span class="plate-grams">{plate.grams === null ? "" : grams(plate.grams)}</span>
      <span class="plate-price">{plate.price_fen === null ? "" : money(plate.price_fen)}</span>
    </li>
  );
}
