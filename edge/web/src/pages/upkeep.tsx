/** /gym/maintenance: what needs me today, one machine with its orders, wear and inspections, and QR labels. */
import { useEffect, useMemo, useState } from "preact/hooks";

import "../styles/gym.css";
import "../styles/gym-photo.css";
import { GymBoard } from "../gym/board";
import { GymFrame, Guarded, UPKEEP_ROLES } from "../gym/frame";
import { MachineUpkeep } from "../gym/MachineUpkeep";
import { QrCode } from "../gym/QrCode";
import { Orders } from "../gym/Orders";
import { Places } from "../gym/Places";
import { byPlace, FEW } from "../gym/places";
import { Register } from "../gym/Register";
import { word } from "../gym/words";
import { say, t } from "../lib/i18n";
import { mount } from "../parts/mount";
import type { AssetView, MaintenanceView } from "../types";

const TABS = ["orders", "due", "register", "labels"] as const;
type Tab = (typeof TABS)[number];

/** Tabs on which one machine is chosen. */
function onMachines(tab: Tab): boolean {
  return tab === "orders" || tab === "due";
}

function Page() {
  return (
    <Guarded topic="upkeep" title={t("upkeep.title")} roles={UPKEEP_ROLES}>
      <Upkeep />
    </Guarded>
  );
}

function todayOf(board: GymBoard): string {
  return board.gym.value?.business_day ?? "";
}

function Upkeep() {
  const board = useMemo(() => new GymBoard(["gym", "asset/", "maintenance"]), []);
  const [tab, setTab] = useState<Tab>("orders");
  const [asset, setAsset] = useState("");
  const [piece, setPiece] = useState("");
  const view = board.maintenance.value;
  const chosen = board.assets.value.find((one) => one.asset === asset);
  return (
    <GymFrame board={board} topic="upkeep" title={t("upkeep.title")}>
      <div class="upkeep" data-stale={board.stale}>
        <div class="tabs" role="group" aria-label={t("upkeep.title")}>
          {TABS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === tab}
              onClick={() => {
                setTab(one);
              }}
            >
              {t(`upkeep.${one}`)}
            </button>
          ))}
        </div>
        {tab === "labels" && <Labels board={board} />}
        {tab === "register" && (
          <>
            {piece !== "" && <OnePiece piece={piece} board={board} onBack={setPiece} />}
            <Register today={todayOf(board)} hidden={piece !== ""} onChoose={setPiece} />
          </>
        )}
        {onMachines(tab) && <Choose asset={asset} board={board} onChoose={setAsset} />}
        {onMachines(tab) && chosen && (
          <MachineUpkeep key={chosen.asset} asset={chosen} checklist={view?.checklist ?? []} />
        )}
        {tab === "orders" && view && (
          <Orders orders={view.orders.filter((order) => asset === "" || order.asset === asset)} board={board} />
        )}
        {tab === "due" && view && <Dues due={view.due} board={board} onChoose={setAsset} />}
      </div>
    </GymFrame>
  );
}

interface OnePieceProps {
  piece: string;
  board: GymBoard;
  onBack: (none: "") => void;
}

/** One piece of the register, and the way back to the list, to where it was left. */
function OnePiece({ piece, board, onBack }: OnePieceProps) {
  const chosen = board.asset(piece).value;
  useEffect(() => {
    const top = window.scrollY;
    window.scrollTo(0, 0);
    return () => {
      requestAnimationFrame(() => {
        window.scrollTo(0, top);
      });
    };
  }, [piece]);
  return (
    <>
      <button
        type="button"
        class="back"
        onClick={() => {
          onBack("");
        }}
      >
        {t("register.back")}
      </button>
      {chosen && <p class="muted">{board.placeOf(chosen.zone)}</p>}
      {chosen && <MachineUpkeep asset={chosen} checklist={board.maintenance.value?.checklist ?? []} />}
    </>
  );
}

interface ChooseProps {
  asset: string;
  board: GymBoard;
  onChoose: (asset: string) => void;
}

function Choose({ asset, board, onChoose }: ChooseProps) {
  return (
    <label class="choose">
      {t("upkeep.choose")}
      <select
        value={asset}
        onChange={(event) => {
          onChoose(event.currentTarget.value);
        }}
      >
        <option value="">—</option>
        <Machines board={board} />
      </select>
    </label>
  );
}

/** The machines to choose from, in many by their place: a park has thirty air walkers. */
function Machines({ board }: { board: GymBoard }) {
  const machines = board.assets.value;
  const options = (some: readonly AssetView[]) =>
    some.map((one) => (
      <option key={one.asset} value={one.asset}>
        {say(one.name)}
      </option>
    ));
  if (machines.length <= FEW) return <>{options(machines)}</>;
  return (
    <>
      {byPlace(machines, (one) => one.zone, board.gym.value?.zones ?? []).map(({ zone, items }) => (
        <optgroup key={zone} label={board.placeOf(zone)}>
          {options(items)}
        </optgroup>
      ))}
    </>
  );
}

interface DuesProps {
  due: readonly MaintenanceView["due"][number][];
  board: GymBoard;
  onChoose: (asset: string) => void;
}

function Dues({ due, board, onChoose }: DuesProps) {
  if (due.length === 0) return <p class="empty">{t("upkeep.due.none")}</p>;
  if (due.length <= FEW) return <DueRows due={due} board={board} onChoose={onChoose} />;
  return (
    <Places
      places={byPlace(due, ([name]) => board.zoneOf(name), board.gym.value?.zones ?? [])}
      nameOf={(zone) => board.placeOf(zone)}
      told={() => []}
      draw={(here) => <DueRows due={here} board={board} onChoose={onChoose} />}
    />
  );
}

function DueRows({ due, board, onChoose }: DuesProps) {
  return (
    <ul class="dues rows">
      {due.map(([name, code, pct]) => (
        <li key={`${name}.${code}`} data-level={code.endsWith("_soon") ? "look" : "act"}>
          <strong>{board.nameOf(name)}</strong>
          <span>{word("due", code)}</span>
          {pct > 0 && <span>{pct} %</span>}
          <button
            type="button"
            onClick={() => {
              onChoose(name);
            }}
          >
            {t("workouts.show")}
          </button>
        </li>
      ))}
    </ul>
  );
}

const MANY_LABELS = 40;

function Labels({ board }: { board: GymBoard }) {
  const [zone, setZone] = useState("");
  const machines = board.assets.value;
  const many = machines.length > MANY_LABELS;
  return (
    <section class="labels">
      <p class="no-print">
        {t("upkeep.labels.do")}{" "}
        <button
          type="button"
          onClick={() => {
            window.print();
          }}
        >
          {t("upkeep.print")}
        </button>
      </p>
      {many && (
        <label class="choose no-print">
          {t("upkeep.labels.place")}
          <select
            value={zone}
            onChange={(event) => {
              setZone(event.currentTarget.value);
            }}
          >
            <option value="">—</option>
            {byPlace(machines, (one) => one.zone, board.gym.value?.zones ?? []).map((one) => (
              <option key={one.zone} value={one.zone}>
                {board.placeOf(one.zone)}
              </option>
            ))}
          </select>
        </label>
      )}
      <ul>
        {machines.filter((one) => !many || one.zone === zone).map((asset) => {
          const address = `${window.location.origin}/machine/${encodeURIComponent(asset.asset)}`;
          return (
            <li key={asset.asset}>
              <QrCode text={address} label={address} />
              <strong>{say(asset.name)}</strong>
              <small>{asset.asset}</small>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

mount(Page, "page.upkeep");
