/** /gym/maintenance: what needs me today, one machine with its orders, wear and inspections, and QR labels. */
import { useMemo, useState } from "preact/hooks";

import "../styles/gym.css";
import "../styles/gym-photo.css";
import { GymBoard } from "../gym/board";
import { GymFrame, Guarded, UPKEEP_ROLES } from "../gym/frame";
import { MachineUpkeep } from "../gym/MachineUpkeep";
import { OrderCard } from "../gym/OrderCard";
import { QrCode } from "../gym/QrCode";
import { Register } from "../gym/Register";
import { word } from "../gym/words";
import { say, t } from "../lib/i18n";
import { mount } from "../parts/mount";
import type { MaintenanceView } from "../types";

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
          <Register
            today={todayOf(board)}
            onChoose={(one) => {
              setAsset(one);
              setTab("due");
            }}
          />
        )}
        {onMachines(tab) && <Choose asset={asset} board={board} onChoose={setAsset} />}
        {onMachines(tab) && chosen && (
          <MachineUpkeep key={chosen.asset} asset={chosen} checklist={view?.checklist ?? []} />
        )}
        {tab === "orders" && view && (
          <ul class="orders">
            {view.orders.length === 0 && <li class="empty">{t("upkeep.none")}</li>}
            {view.orders
              .filter((order) => asset === "" || order.asset === asset)
              .map((order) => (
                <OrderCard key={order.order_id} order={order} board={board} />
              ))}
          </ul>
        )}
        {tab === "due" && view && <Dues due={view.due} board={board} onChoose={setAsset} />}
      </div>
    </GymFrame>
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
        {board.assets.value.map((one) => (
          <option key={one.asset} value={one.asset}>
            {say(one.name)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface DuesProps {
  due: MaintenanceView["due"];
  board: GymBoard;
  onChoose: (asset: string) => void;
}

function Dues({ due, board, onChoose }: DuesProps) {
  if (due.length === 0) return <p class="empty">{t("upkeep.due.none")}</p>;
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

function Labels({ board }: { board: GymBoard }) {
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
      <ul>
        {board.assets.value.map((asset) => {
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
