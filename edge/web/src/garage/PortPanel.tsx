/** An outlet for the one who stands in front of it: what it does, how long still, what it costs, and one button. */
import { useMemo } from "preact/hooks";

import { ageWords, grouped } from "../lib/format";
import { newId } from "../lib/ids";
import { say, t, type Key } from "../lib/i18n";
import { me } from "../lib/session";
import { Fault } from "../parts/Fault";
import { Hold } from "../parts/Hold";
import { Money } from "../parts/Money";
import type { PortView } from "../types";
import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { portWord, whyOff } from "./words";

const OWNERS = ["resident", "member"];

export function PortPanel({ port, stale, heldS }: { port: PortView; stale: boolean; heldS: number }) {
  const act = useMemo(() => new Act(), []);
  const mine = port.session_id !== "" && (port.member === me.value?.member || !OWNERS.includes(me.value?.role ?? ""));
  const taken = !mine && (port.on === true || port.wanted);
  return (
    <section class="port-panel" data-stale={stale} aria-label={say(port.name)}>
      <h1>{say(port.name)}</h1>
      <p class="port-word">{taken ? t("port.taken") : portWord(port)}</p>
      {mine && <Mine port={port} />}
      {!mine && !taken && <p class="port-hint">{hintOf(port)}</p>}
      {taken && <p class="port-hint">{t("port.taken.do")}</p>}
      {stale ? (
        <p class="port-stale">{t("zone.stale", { age: ageWords(heldS) })}</p>
      ) : (
        <Press port={port} mine={mine} taken={taken} act={act} />
      )}
      <ActLine act={act} />
    </section>
  );
}

function Mine({ port }: { port: PortView }) {
  return (
    <dl class="port-mine">
      <div class="port-left">
        <dt>{t("port.left")}</dt>
        <dd>{port.remaining_min === null ? t("port.left.unknown") : t("port.left.min", { n: port.remaining_min })}</dd>
      </div>
      <div>
        <dt>{t("port.cost")}</dt>
        <dd>
          <Money fen={port.cost_fen} />
        </dd>
      </div>
      <div>
        <dt>{t("port.energy")}</dt>
        <dd>{grouped(port.energy_wh)} Wh</dd>
      </div>
      <div>
        <dt>{t("port.charged")}</dt>
        <dd>{ageWords(port.charging_s)}</dd>
      </div>
    </dl>
  );
}

function hintOf(port: PortView): string {
  const off = whyOff(port.reason);
  if (!port.armed) return t("port.locked", { why: off });
  const hint: Key = "port.free.do";
  return off === "" || port.phase === "empty" ? t(hint) : off;
}

function Press({ port, mine, taken, act }: { port: PortView; mine: boolean; taken: boolean; act: Act }) {
  const path = `/ports/${encodeURIComponent(port.port)}`;
  const busy = act.state.value.at === "sent";
  if (taken || !port.armed) return null;
  if (mine) {
    return (
      <Hold
        class="port-press"
        disabled={busy}
        onHeld={() => {
          void act.send(`${path}/stop`, { session_id: port.session_id });
        }}
      >
        {t("port.stop")}
      </Hold>
    );
  }
  return (
    <button
      type="button"
      class="primary port-press"
      disabled={busy}
      onClick={() => {
        void act.send(`${path}/start`, { session_id: newId() });
      }}
    >
      {t("port.start")}
    </button>
  );
}

export function NoPort() {
  return <Fault title={t("port.none")} todo={t("port.none.do")} />;
}
