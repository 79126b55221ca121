/** The outlets of a zone as they hang on the wall, each with its number, a shape, a word and its power. */
import { BatteryCharging, BatteryFull, CircleOff, Plug, TriangleAlert } from "lucide";
import type { IconNode } from "lucide";

import { ageWords, money } from "../lib/format";
import { known, say, t } from "../lib/i18n";
import { me } from "../lib/session";
import { Icon } from "../parts/Icon";
import type { PortView } from "../types";
import type { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { Button } from "../parts/ActButton";
import { portLevel, portWord, troubleWord, whyOff } from "./words";

interface Props {
  ports: readonly PortView[];
  chosen: string;
  onChoose: (port: string) => void;
}

export function PortMap({ ports, chosen, onChoose }: Props) {
  return (
    <ul class="port-map" aria-label={t("zone.ports")}>
      {ports.map((port) => (
        <li key={port.port}>
          <button
            type="button"
            class="port"
            data-level={portLevel(port)}
            data-on={port.on === true}
            aria-pressed={port.port === chosen}
            onClick={() => {
              onChoose(port.port === chosen ? "" : port.port);
            }}
          >
            <strong>{say(port.name)}</strong>
            <Icon of={glyphOf(port)} />
            <span>{portWord(port)}</span>
            <small>{port.power_w === null ? "—" : `${Math.round(port.power_w)} W`}</small>
          </button>
        </li>
      ))}
    </ul>
  );
}

function glyphOf(port: PortView): IconNode {
  if (portLevel(port) !== "quiet") return TriangleAlert;
  if (port.phase === "tripped" || !port.armed) return CircleOff;
  if (port.phase === "done") return BatteryFull;
  return port.on === true ? BatteryCharging : Plug;
}

/** All that is known of one outlet, and the one act that belongs to it: allowing it again. */
export function PortCard({ port, heldS, act }: { port: PortView; heldS: number; act: Act }) {
  const off = whyOff(port.reason);
  const facts: [string, string][] = [
    [t("port.state"), portWord(port)],
    [t("port.power"), port.power_w === null ? t("port.unmeasured") : `${port.power_w.toFixed(1)} W`],
    [t("port.current"), port.current_a === null ? t("port.unmeasured") : `${port.current_a.toFixed(2)} A`],
    [t("port.temperature"), port.temperature_c === null ? t("port.unmeasured") : `${port.temperature_c.toFixed(1)} °C`],
    [t("port.measured"), port.measured_ago_s === null ? t("source.never") : ageWords(port.measured_ago_s + heldS)],
    [t("port.cut"), cutWord(port)],
  ];
  if (port.fault !== "") facts.push([t("port.fault"), troubleWord(port.fault)]);
  if (off !== "") facts.push([t("port.reason"), off]);
  if (port.session_id !== "") facts.push([t("port.session"), `${port.energy_wh} Wh · ${money(port.cost_fen)}`]);
  const rearm = !port.armed && me.value?.role !== "read-only";
  return (
    <section class="panel port-card" aria-label={say(port.name)}>
      <h3>{say(port.name)}</h3>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {rearm && (
        <Button
          text={t("press.rearm")}
          does={t("press.rearm.does")}
          busy={act.state.value.at === "sent"}
          onPress={() => {
            void act.send(`/ports/${encodeURIComponent(port.port)}/rearm`);
          }}
        />
      )}
      <ActLine act={act} />
    </section>
  );
}

function cutWord(port: PortView): string {
  const key = known(`cut.${port.cut}`);
  return key ? t(key) : port.cut;
}
