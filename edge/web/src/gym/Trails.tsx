/** The trail: who is out, laps of today, the last laps with what was wrong with them. */
import { say, t } from "../lib/i18n";
import type { GymBoard } from "./board";
import { duration, word } from "./words";

const LAST = 4;

export function Trails({ board }: { board: GymBoard }) {
  return (
    <>
      {board.trails.value.map((trail) => (
        <section key={trail.trail} class="panel gym-trail">
          <h2>{say(trail.name)}</h2>
          <p>
            <span>{trail.open ? t("trail.out", { n: trail.out.length }) : t("trail.closed")}</span>
            <span>{t("trail.today", { n: trail.laps_today })}</span>
            <span>{t("trail.length", { n: trail.length_m })}</span>
          </p>
          {trail.laps.length === 0 && <p class="muted">{t("trail.none")}</p>}
          <ul class="laps">
            {trail.laps.slice(-LAST).reverse().map((lap, i) => (
              <li key={`${lap.tag}.${lap.lap}.${i}`}>
                <strong>{duration(lap.seconds)}</strong>
                {lap.pace_s_per_km !== null && <span>{t("trail.pace", { t: duration(lap.pace_s_per_km) })}</span>}
                {lap.problem !== "" && <em>{word("lap", lap.problem)}</em>}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}
