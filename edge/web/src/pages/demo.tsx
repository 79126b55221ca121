/**
 * /demo: the lanes side by side, as on their terminals, and the hands that put trays down. All plates are simulated.
 */
import { Volume2, VolumeX } from "lucide";
import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";

import "../styles/demo.css";
import { Compose } from "../demo/Compose";
import { Diners, LaneTools } from "../demo/Faults";
import { Simulator } from "../demo/simulator";
import { LaneControl } from "../lane/control";
import { Lane, useControl } from "../lane/Lane";
import { t } from "../lib/i18n";
import { Live } from "../lib/live";
import { info, me, session } from "../lib/session";
import { muteSound, unlockSoundOnTouch } from "../lib/sound";
import { Fault } from "../parts/Fault";
import { Gate } from "../parts/Gate";
import { Icon } from "../parts/Icon";
import { mount } from "../parts/mount";
import { linkNotice, NoticeStrip, type Notice } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";
import type { MenuView } from "../types";

const BOSS = ["admin", "manager"];
/** More lanes than this do not fit side by side; a terminal of its own shows any of them. */
const MAX_LANES = 2;

function Page() {
  const demo = info.value?.demo;
  if (session.value === "ready" && demo === true && BOSS.includes(me.value?.role ?? "")) return <Stage />;
  return (
    <div class="page page-demo">
      <StateStrip page={t("demo.title")} help="demo" />
      <main>
        <Gate roles={BOSS}>
          {demo === false && <Fault title={t("demo.off")} todo={t("demo.off.do")} />}
        </Gate>
      </main>
    </div>
  );
}

function Stage() {
  const live = useMemo(() => new Live(["lane/", "menu"]), []);
  const simulator = useMemo(() => new Simulator(), []);
  useEffect(
    () => () => {
      simulator.close();
    },
    [simulator],
  );
  const menu = (live.view("menu") as ReadonlySignal<MenuView | undefined>).value;
  const lanes = lanesOf(live.keysSeen.value);
  return (
    <div class="page page-demo">
      <StateStrip page={t("demo.title")} link={live.state.value} help="demo">
        <SoundSwitch />
      </StateStrip>
      <NoticeStrip notice={noticeOf(live, simulator)} />
      <main>
        <div class="stage">
          {lanes.map((lane) => (
            <StageLane key={lane} lane={lane} live={live} simulator={simulator} />
          ))}
        </div>
        <Diners simulator={simulator} />
        <div class="panels">
          <Compose simulator={simulator} dishes={menu?.items ?? []} lanes={lanes} />
        </div>
      </main>
    </div>
  );
}

function lanesOf(keys: readonly string[]): string[] {
  return keys
    .filter((key) => key.startsWith("lane/"))
    .map((key) => key.slice("lane/".length))
    .slice(0, MAX_LANES);
}

function StageLane({ lane, live, simulator }: { lane: string; live: Live; simulator: Simulator }) {
  const control = useControl(() => new LaneControl(lane, live));
  return (
    <div class="stage-lane">
      <div class="stage-screen">
        <Lane control={control} cards={simulator.state.value?.members ?? []} named />
      </div>
      <LaneTools simulator={simulator} lane={lane} />
    </div>
  );
}

function SoundSwitch() {
  const [on, setOn] = useState(false);
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={() => {
        muteSound(on);
        setOn(!on);
      }}
    >
      <Icon of={on ? Volume2 : VolumeX} />
      <span>{t("demo.sound")}</span>
    </button>
  );
}

function noticeOf(live: Live, simulator: Simulator): Notice {
  const link = linkNotice(live.state.value, live.ageS.value);
  if (link) return link;
  const oops = simulator.oops.value;
  if (oops) return { level: "warning", text: `${oops.title} ${oops.todo}` };
  return { level: "information", text: t("demo.note") };
}

// Diners that come by themselves would chime all day: sound is off here until it is asked for.
muteSound(true);
unlockSoundOnTouch();
mount(Page, "page.demo");
