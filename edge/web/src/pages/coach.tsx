/** /gym/coach: alarms, who trains now with pulse and ceiling, the entry measurements, prescriptions. */
import { effect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import "../styles/gym.css";
import { GymBoard, tellShown } from "../gym/board";
import { BusyMap } from "../gym/BusyMap";
import { CARE_ROLES, GymFrame, Guarded } from "../gym/frame";
import { GymAlarms } from "../gym/GymAlarms";
import { HeartLine } from "../gym/HeartLine";
import { Prescription } from "../gym/Prescription";
import { Queue } from "../gym/Queue";
import { duration, gateWords, toneOf, word } from "../gym/words";
import { say, t } from "../lib/i18n";
import { mount } from "../parts/mount";
import type { AssetView, KioskView } from "../types";

const RANK = { act: 0, look: 1, quiet: 2, dim: 3 } as const;

function Page() {
  return (
    <Guarded topic="coach" title={t("coach.title")} roles={CARE_ROLES}>
      <Coach />
    </Guarded>
  );
}

function Coach() {
  const board = useMemo(() => new GymBoard(["gym", "asset/", "gym-alarms", "kiosk/"]), []);
  useEffect(() => {
    const told = new Set<string>();
    return effect(() => {
      tellShown(board.alarms.value, told);
    });
  }, [board]);
  const training = board.assets.value
    .filter((asset) => asset.phase !== "idle")
    .sort((a, b) => RANK[toneOf(a.heart)] - RANK[toneOf(b.heart)] || a.asset.localeCompare(b.asset));
  const signed = board.gym.value?.limits_signed;
  return (
    <GymFrame board={board} topic="coach" title={t("coach.title")}>
      {signed !== undefined && (
        <p class={signed === "" ? "unsigned" : "signed"}>
          {signed === "" ? t("gym.unsigned") : t("gym.signed", { who: signed })}
        </p>
      )}
      <div class="coach" data-stale={board.stale}>
        <section class="coach-now" aria-label={t("coach.now")}>
          <h2>{t("coach.now")}</h2>
          {board.gym.value && training.length === 0 && <p class="muted">{t("coach.none")}</p>}
          <ul class="trainees">
            {training.map((asset) => (
              <Trainee key={asset.asset} asset={asset} stale={board.stale} />
            ))}
          </ul>
        </section>
        <GymAlarms board={board} />
        <div class="coach-side">
          {board.kiosks.value.map((kiosk) => (
            <Kiosk key={kiosk.kiosk} kiosk={kiosk} />
          ))}
          <Prescription />
          {board.gym.value && (
            <Queue board={board} entries={board.gym.value.queue} missed={board.gym.value.no_shows_today} />
          )}
        </div>
        {board.gym.value && <BusyMap gym={board.gym.value} detailed />}
      </div>
    </GymFrame>
  );
}

function Trainee({ asset, stale }: { asset: AssetView; stale: boolean }) {
  const tone = stale ? "look" : toneOf(asset.heart);
  return (
    <li class="trainee" data-tone={tone} data-level={asset.heart.level}>
      <header>
        <h3>{asset.person === "" ? t("coach.anonymous") : asset.person}</h3>
        <a href={`/machine/${encodeURIComponent(asset.asset)}`}>{say(asset.name)}</a>
        <span>{word("phase.gym", asset.phase)}</span>
        {asset.totals && <span>{duration(asset.totals.active_s)}</span>}
      </header>
      <HeartLine heart={asset.heart} stale={stale} />
    </li>
  );
}

function Kiosk({ kiosk }: { kiosk: KioskView }) {
  const bad = kiosk.person !== "" && kiosk.decision !== "admit";
  return (
    <section class="panel kiosk" data-tone={bad ? "look" : "quiet"}>
      <h2>{say(kiosk.name)}</h2>
      <p class="kiosk-word">
        {kiosk.person !== "" && <strong>{kiosk.person}</strong>} <span>{gateWords(kiosk)}</span>
      </p>
      {kiosk.person !== "" && kiosk.systolic_mmhg !== null && (
        <p>
          <span>{t("gate.bp", { s: kiosk.systolic_mmhg, d: kiosk.diastolic_mmhg ?? "—" })}</span>
          <span>{t("gate.pulse", { n: kiosk.pulse_bpm ?? "—" })}</span>
          <span>{t("gate.readings", { n: kiosk.readings })}</span>
        </p>
      )}
    </section>
  );
}

mount(Page, "page.coach");
