/** /garage: the wall. Zones as quiet tiles, the worst first; open alarms on the right; calm words when all is well. */
import { useMemo } from "preact/hooks";

import "../styles/garage.css";
import { ageWords, grouped } from "../lib/format";
import { t } from "../lib/i18n";
import { AlarmCard } from "../garage/AlarmCard";
import { Board } from "../garage/board";
import { GarageFrame, Guarded, WATCH_ROLES } from "../garage/frame";
import { byGravity } from "../garage/words";
import { ZoneTile } from "../garage/ZoneTile";
import { mount } from "../parts/mount";
import type { ZoneView } from "../types";

const MAX_ALARMS = 6;

function Page() {
  return (
    <Guarded topic="garage" title={t("garage.title")} roles={WATCH_ROLES}>
      <Wall />
    </Guarded>
  );
}

function Wall() {
  const board = useMemo(() => new Board(["garage", "alarms", "zone/"]), []);
  const zones = [...board.zones.value].sort(byGravity);
  const alarms = board.alarms.value?.alarms ?? [];
  const stale = board.live.state.value !== "live";
  const quiet = zones.length > 0 && zones.every((zone) => zone.state === "normal") && alarms.length === 0;
  return (
    <GarageFrame board={board} topic="garage" title={t("garage.title")}>
      <div class="wall" data-quiet={quiet}>
        <ul class="zones" data-hot={zones.some((zone) => zone.state !== "normal")}>
          {zones.map((zone) => (
            <ZoneTile key={zone.zone} zone={zone} live={board.live} />
          ))}
        </ul>
        <section class="wall-alarms" data-stale={stale} aria-label={t("alarms.title")}>
          {alarms.length === 0 ? (
            <Quiet board={board} zones={zones} stale={stale} />
          ) : (
            <>
              <h2>{t("alarms.open", { n: alarms.length })}</h2>
              <ul>
                {alarms.slice(0, MAX_ALARMS).map((alarm) => {
                  const zone = zones.find((one) => one.zone === alarm.zone);
                  return <AlarmCard key={alarm.alarm_id} alarm={alarm} zone={zone} acts={false} />;
                })}
              </ul>
              {alarms.length > MAX_ALARMS && <p>{t("alarms.rest", { n: alarms.length - MAX_ALARMS })}</p>}
              <a class="button primary" href="/garage/alarms">
                {t("alarms.handle")}
              </a>
            </>
          )}
        </section>
      </div>
    </GarageFrame>
  );
}

/** Nothing wrong is said only while the page is current, every zone is armed, and every sensor was heard. */
function Quiet({ board, zones, stale }: { board: Board; zones: readonly ZoneView[]; stale: boolean }) {
  const garage = board.garage.value;
  const ages = zones.flatMap((zone) => zone.sources.map((source) => source.heard_ago_s));
  const well = !stale && garage?.armed === true && zones.length > 0 && zones.every((zone) => zone.state === "normal");
  return (
    <div class="all-quiet" data-well={well}>
      <h2>{t(well ? "garage.well" : stale ? "garage.unknown" : "garage.no_alarm")}</h2>
      {well && !ages.includes(null) && (
        <p>{t("garage.supervised", { n: ages.length, age: ageWords(Math.max(0, ...ages.map((age) => age ?? 0))) })}</p>
      )}
      {garage && <p>{t("garage.sums", { sessions: garage.sessions, w: grouped(garage.power_w) })}</p>}
    </div>
  );
}

mount(Page, "page.garage");
