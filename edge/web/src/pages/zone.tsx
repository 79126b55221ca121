/** /garage/zone/<zone>: one zone with its outlets, sensors and outputs, their ages and proofs, curves, and acts. */
import { effect } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";

import "../styles/garage.css";
import { Act } from "../parts/act";
import { AlarmCard } from "../garage/AlarmCard";
import { Board } from "../garage/board";
import { Doors } from "../garage/Doors";
import { GarageFrame, Guarded, WATCH_ROLES } from "../garage/frame";
import { PortCard, PortMap } from "../garage/PortMap";
import { Samples, TimePlot } from "../garage/TimePlot";
import {
  levelOf,
  outputLevel,
  outputWord,
  reasonsOf,
  reasonWords,
  sinceS,
  sourceLevel,
  sourceWord,
  troubleWord,
  zoneWord,
} from "../garage/words";
import { Done, Power } from "../garage/ZoneTile";
import { ZoneActs } from "../garage/ZoneActs";
import { nowMs } from "../lib/clock";
import { ageWords } from "../lib/format";
import { say, t } from "../lib/i18n";
import { Fault } from "../parts/Fault";
import { mount } from "../parts/mount";
import type { PortView, ZoneView } from "../types";

const ID = decodeURIComponent(window.location.pathname.split("/").pop() ?? "");
/** Views of zones come with the first words of the stream; after so long without one there is no such zone. */
const UNKNOWN_AFTER_S = 3;

function Page() {
  return (
    <Guarded topic="zone" title={t("zone.title", { zone: ID })} roles={WATCH_ROLES}>
      <ZonePage />
    </Guarded>
  );
}

function ZonePage() {
  const board = useMemo(() => new Board(["garage", "alarms", "zone/", "port/"]), []);
  const openedMs = useMemo(() => nowMs.peek(), []);
  const zone = board.zone(ID).value;
  const title = zone ? say(zone.name) : t("zone.title", { zone: ID });
  const unknown = board.live.state.value === "live" && nowMs.value - openedMs > UNKNOWN_AFTER_S * 1000;
  return (
    <GarageFrame board={board} topic="zone" title={title}>
      {zone && <Detail board={board} zone={zone} />}
      {!zone && unknown && <Fault title={t("zone.none")} todo={t("zone.none.do")} />}
    </GarageFrame>
  );
}

function Detail({ board, zone }: { board: Board; zone: ZoneView }) {
  const [chosen, choose] = useState("");
  const act = useMemo(() => new Act(), [chosen]);
  // Reading the clock makes ages grow while nothing comes.
  const heldS = nowMs.value > 0 ? board.live.heldS(`zone/${zone.zone}`) : 0;
  const stale = board.live.state.value !== "live";
  const ports = zone.ports.map((port) => board.port(port).value).filter((port) => port !== undefined);
  const port = ports.find((one) => one.port === chosen);
  const alarms = board.alarms.value?.alarms.filter((alarm) => alarm.zone === zone.zone) ?? [];
  return (
    <div class="zone-page" data-level={levelOf(zone.state)} data-stale={stale}>
      <section class="panel zone-head" data-level={levelOf(zone.state)}>
        <h1>{zoneWord(zone)}</h1>
        <p>{t("zone.since", { age: ageWords(sinceS(zone, heldS)) })}</p>
        <ol class="zone-reasons">
          {reasonsOf(zone).map((reason) => (
            <li key={reason}>{reasonWords(reason, zone)}</li>
          ))}
        </ol>
        <Done zone={zone} />
        <Power zone={zone} />
      </section>
      <ZoneActs zone={zone} />
      {alarms.length > 0 && (
        <section class="panel zone-alarms">
          <h2>{t("alarms.open", { n: alarms.length })}</h2>
          <ul>
            {alarms.map((alarm) => (
              <AlarmCard key={alarm.alarm_id} alarm={alarm} zone={zone} acts />
            ))}
          </ul>
        </section>
      )}
      <section class="panel zone-outlets">
        <h2>{t("zone.ports")}</h2>
        <PortMap ports={ports} chosen={chosen} onChoose={choose} />
        {port && <PortCard key={port.port} port={port} heldS={board.live.heldS(`port/${port.port}`)} act={act} />}
      </section>
      <Curves board={board} zone={zone} port={port} />
      <Sources zone={zone} heldS={heldS} />
      <Outputs zone={zone} />
      <Doors zone={zone} heldS={heldS} />
    </div>
  );
}

function Sources({ zone, heldS }: { zone: ZoneView; heldS: number }) {
  return (
    <section class="panel zone-list">
      <h2>{t("zone.sources")}</h2>
      <ul class="rows">
        {zone.sources.map((source) => (
          <li key={source.source} data-level={sourceLevel(source)}>
            <strong>{say(source.name)}</strong>
            <span>{sourceWord(source, heldS)}</span>
            {source.battery_low && <em>{t("source.battery")}</em>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Outputs({ zone }: { zone: ZoneView }) {
  return (
    <section class="panel zone-list">
      <h2>{t("zone.outputs")}</h2>
      <ul class="rows">
        {zone.outputs.map((output) => (
          <li key={output.output} data-level={outputLevel(output)}>
            <strong>{say(output.name)}</strong>
            <span>{outputWord(output)}</span>
            {output.fault !== "" && <em>{troubleWord(output.fault)}</em>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Power of the zone, and of the chosen outlet with its temperature, since the page was opened. */
function Curves({ board, zone, port }: { board: Board; zone: ZoneView; port: PortView | undefined }) {
  const whole = useMemo(() => new Samples(1), []);
  const one = useMemo(() => new Samples(2), [port?.port]);
  const [count, setCount] = useState(0);
  const id = port?.port;
  useEffect(
    () =>
      effect(() => {
        const now = board.zone(zone.zone).value;
        if (now) whole.add(Date.now(), [now.power_w]);
        const at = id === undefined ? undefined : board.port(id).value;
        if (at) one.add(Date.now(), [at.power_w, at.temperature_c]);
        setCount((before) => before + 1);
      }),
    [board, zone.zone, id, whole, one],
  );
  return (
    <section class="panel zone-curves">
      <TimePlot
        samples={whole}
        count={count}
        title={t("plot.zone", { zone: say(zone.name) })}
        lines={[{ label: t("plot.power"), unit: "W" }]}
      />
      {port && (
        <TimePlot
          samples={one}
          count={count}
          title={t("plot.port", { port: say(port.name) })}
          lines={[
            { label: t("plot.power"), unit: "W" },
            { label: t("plot.temperature"), unit: "°C", dash: [8, 4], atLeast: 50 },
          ]}
        />
      )}
      <p class="plot-note">{t("plot.since_open")}</p>
    </section>
  );
}

mount(Page, "page.zone");
