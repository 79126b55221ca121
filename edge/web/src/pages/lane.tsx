/** /lane/{lane}: the checkout terminal. */
import { useEffect, useState } from "preact/hooks";

import type { DemoCard } from "../lane/CardPane";
import { LaneControl } from "../lane/control";
import { Lane, useControl } from "../lane/Lane";
import { call } from "../lib/http";
import { say, t } from "../lib/i18n";
import { Live } from "../lib/live";
import { info, isOutdated, me, session } from "../lib/session";
import { unlockSoundOnTouch } from "../lib/sound";
import { listenForCards } from "../lib/wedge";
import { Gate } from "../parts/Gate";
import { mount } from "../parts/mount";
import { linkNotice, NoticeStrip, type Notice } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";

const laneId = decodeURIComponent(/^\/lane\/([^/]+)/.exec(window.location.pathname)?.[1] ?? "1");

const LANE_ROLES = ["diner-terminal", "cashier", "manager", "admin"];

function Page() {
  const may = session.value === "ready" && LANE_ROLES.includes(me.value?.role ?? "");
  return (
    <div class="page page-lane">
      {may ? (
        <Terminal />
      ) : (
        <>
          <StateStrip page={t("lane.title", { lane: laneId })} help="login" />
          <main>
            <Gate roles={LANE_ROLES}>{null}</Gate>
          </main>
        </>
      )}
    </div>
  );
}

function Terminal() {
  const control = useControl(() => new LaneControl(laneId, new Live([`lane/${laneId}`])));
  const cards = useDemoCards();
  const view = control.view.value;
  useEffect(() => listenForCards((card) => void control.identify(card)), [control]);
  useReload(control);
  const called = view?.staff_called === true;
  const sent = control.sent.value === "call-staff";
  return (
    <>
      <StateStrip
        page={view ? say(view.name) : t("lane.title", { lane: laneId })}
        link={control.live.state.value}
        help={{
          label: t(sent ? "act.sent" : called ? "act.staff_called" : "act.call_staff"),
          pressed: called,
          busy: sent,
          onPress: () => void control.callStaff(!called),
        }}
      />
      <NoticeStrip notice={noticeOf(control)} />
      <main>
        <Lane control={control} cards={cards} />
      </main>
    </>
  );
}

function noticeOf(control: LaneControl): Notice {
  const link = linkNotice(control.live.state.value, control.live.ageS.value);
  const view = control.view.value;
  if (link) return link;
  if (view?.staff_called) return { level: "information", text: t("notice.staff") };
  if (view && !view.clock_trusted) return { level: "warning", text: t("notice.clock") };
  return { level: "quiet", text: t(info.value?.demo ? "notice.demo" : "notice.lane") };
}

/**
 * After an upgrade of the box the page reloads itself, but never between a press and its answer or with a tray down.
 */
function useReload(control: LaneControl): void {
  const opened = control.live.opened.value;
  useEffect(() => {
    if (opened < 2) return;
    void isOutdated().then((outdated) => {
      const idle = control.mode.peek() === "empty" || control.mode.peek() === "offline";
      if (outdated && idle) window.location.reload();
    });
  }, [opened, control]);
}

/** In a demo, for those who may see the simulator: the cards of its members. */
function useDemoCards(): readonly DemoCard[] {
  const [cards, setCards] = useState<readonly DemoCard[]>([]);
  const demo = info.value?.demo === true && ["admin", "manager"].includes(me.value?.role ?? "");
  useEffect(() => {
    if (!demo) return;
    call<{ members: DemoCard[] }>("/demo/state")
      .then((state) => {
        setCards(state.members);
      })
      .catch(() => {
        setCards([]);
      });
  }, [demo]);
  return cards;
}

unlockSoundOnTouch();
mount(Page, "page.lane", `lane.${laneId}`);
