/** /port/<port>: behind the QR code at an outlet, for a resident's phone. The own session only. */
import { effect } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";

import "../styles/garage.css";
import { Board } from "../garage/board";
import { Guarded } from "../garage/frame";
import { NoPort, PortPanel } from "../garage/PortPanel";
import { SessionRows } from "../garage/SessionRows";
import { Samples, TimePlot } from "../garage/TimePlot";
import { ApiError, call } from "../lib/http";
import { say, t } from "../lib/i18n";
import { mount } from "../parts/mount";
import { linkNotice, NoticeStrip } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";

const ID = decodeURIComponent(window.location.pathname.split("/").pop() ?? "");
const ROLES = ["resident", "member", "cashier", "panel", "maintenance", "manager", "admin"];
const LAST = 5;

function Page() {
  return (
    <Guarded topic="port" title={t("port.title")} roles={ROLES}>
      <Port />
    </Guarded>
  );
}

function Port() {
  const board = useMemo(() => new Board([`port/${ID}`]), []);
  const live = board.live;
  const port = board.port(ID).value;
  const missing = useMissing(port === undefined);
  const quiet = { level: "quiet", text: t("port.quiet") } as const;
  return (
    <div class="page page-port">
      <StateStrip page={port ? say(port.name) : t("port.title")} link={live.state.value} help="port" />
      <NoticeStrip notice={linkNotice(live.state.value, live.ageS.value, "garage") ?? quiet} />
      <main>
        {port && <PortPanel port={port} stale={live.state.value !== "live"} heldS={live.heldS(`port/${ID}`)} />}
        {!port && missing && <NoPort />}
        {port && port.session_id !== "" && <Curve board={board} />}
        {port && (
          <section class="panel port-last">
            <h2>{t("port.last")}</h2>
            <SessionRows key={port.session_id} limit={LAST} payer={false} />
          </section>
        )}
      </main>
    </div>
  );
}

/** Whether the box says that there is no such outlet, also when it takes it back; silence says nothing. */
function useMissing(unseen: boolean): boolean {
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    if (!unseen) return;
    call(`/garage/ports/${encodeURIComponent(ID)}`).catch((error: unknown) => {
      setMissing(error instanceof ApiError && error.problem.code === "unknown_port");
    });
  }, [unseen]);
  return missing;
}

function Curve({ board }: { board: Board }) {
  const samples = useMemo(() => new Samples(1), []);
  const [count, setCount] = useState(0);
  useEffect(
    () =>
      effect(() => {
        const port = board.port(ID).value;
        if (port) samples.add(Date.now(), [port.power_w]);
        setCount((before) => before + 1);
      }),
    [board, samples],
  );
  return (
    <section class="panel">
      <TimePlot
        samples={samples}
        count={count}
        title={t("plot.mine")}
        lines={[{ label: t("plot.power"), unit: "W" }]}
      />
    </section>
  );
}

mount(Page, "page.port");
