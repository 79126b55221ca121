/** /machine/<asset>: behind the QR code at a machine, for a phone. Take it, be done, report a fault, queue. */
import { useEffect, useMemo, useState } from "preact/hooks";

import "../styles/gym.css";
import "../styles/gym-photo.css";
import { GymBoard } from "../gym/board";
import { GymFrame, Guarded } from "../gym/frame";
import { HeartLine } from "../gym/HeartLine";
import { MachineActs } from "../gym/MachineActs";
import { ReportFault } from "../gym/ReportFault";
import { StopReason } from "../gym/StopReason";
import { Totals } from "../gym/Totals";
import { useTone, word } from "../gym/words";
import { ageWords } from "../lib/format";
import { ApiError, call } from "../lib/http";
import { say, t } from "../lib/i18n";
import { me } from "../lib/session";
import { Fault } from "../parts/Fault";
import { mount } from "../parts/mount";
import type { AssetView } from "../types";

const ID = decodeURIComponent(window.location.pathname.split("/").pop() ?? "");
const VISITORS = ["member", "resident", "panel", "coach", "manager", "admin"];
const REPAIR = ["maintenance"];

function Page() {
  return (
    <Guarded topic="machine" title={t("machine.title")}>
      <Machine />
    </Guarded>
  );
}

function Machine() {
  const board = useMemo(() => new GymBoard(["gym", `asset/${ID}`]), []);
  const asset = board.asset(ID).value;
  const missing = useMissing(asset === undefined);
  const [ended, setEnded] = useState("");
  const role = me.value?.role ?? "";
  const mine = isMine(asset);
  const running = asset?.workout_id ?? "";
  useEffect(() => {
    if (mine && running !== "") setEnded(running);
  }, [mine, running]);
  return (
    <GymFrame board={board} topic="machine" title={asset ? say(asset.name) : t("machine.title")}>
      <div class="machine-page" data-stale={board.stale}>
        {!asset && missing && <Fault title={t("machine.none")} todo={t("machine.none.do")} />}
        {asset && (
          <>
            <State asset={asset} mine={mine} board={board} />
            {VISITORS.includes(role) && <MachineActs asset={asset} mine={mine} board={board} />}
            {!mine && ended !== "" && <StopReason workout={ended} />}
            {[...VISITORS, ...REPAIR].includes(role) && <ReportFault asset={asset.asset} />}
          </>
        )}
      </div>
    </GymFrame>
  );
}

/** Whether the person at this page trains here. */
function isMine(asset: AssetView | undefined): boolean {
  return asset !== undefined && asset.person !== "" && asset.person === me.value?.member;
}

/** Whether the box says that there is no such machine, also when it takes it back; silence says nothing. */
function useMissing(unseen: boolean): boolean {
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    if (!unseen) return;
    call(`/gym/assets/${encodeURIComponent(ID)}`).catch((error: unknown) => {
      setMissing(error instanceof ApiError && error.problem.code === "unknown_asset");
    });
  }, [unseen]);
  return missing;
}

function State({ asset, mine, board }: { asset: AssetView; mine: boolean; board: GymBoard }) {
  const heldS = board.live.heldS(`asset/${asset.asset}`);
  const others = asset.use === "busy" && !mine && asset.person === "" && asset.workout_id === "";
  const text = mine ? t("machine.yours") : others ? t("machine.others") : word("use", asset.use);
  return (
    <section class="panel machine-state" data-tone={useTone(asset.use)}>
      <h1>{say(asset.name)}</h1>
      <p class="machine-word">{text}</p>
      {asset.use === "busy" && <p>{word("phase.gym", asset.phase)}</p>}
      {(asset.use === "locked" || asset.use === "fault") && <p>{t("machine.locked")}</p>}
      {(mine || asset.person === "") && <Cap asset={asset} />}
      {board.stale && <p class="stale-word">{t("gym.stale", { age: ageWords(heldS) })}</p>}
      {asset.totals && <Totals of={asset.totals} speed={asset.speed_km_h} />}
      {asset.heart.level !== "off" && <HeartLine heart={asset.heart} stale={board.stale} />}
    </section>
  );
}

/** While others wait: how long it may still be kept. */
function Cap({ asset }: { asset: AssetView }) {
  const left = asset.cap_left_s;
  if (left === null) return null;
  return <p class="unsigned">{left === 0 ? t("machine.cap.over") : t("machine.cap", { n: Math.ceil(left / 60) })}</p>;
}

mount(Page, "page.machine");
