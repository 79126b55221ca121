/** /garage/sessions: who charged where, for how long, for how much, and why it ended. */
import { useMemo } from "preact/hooks";

import "../styles/garage.css";
import { Board } from "../garage/board";
import { GarageFrame, Guarded, SESSION_ROLES } from "../garage/frame";
import { SessionRows } from "../garage/SessionRows";
import { t } from "../lib/i18n";
import { mount } from "../parts/mount";

function Page() {
  return (
    <Guarded topic="sessions" title={t("sessions.title")} roles={SESSION_ROLES}>
      <Sessions />
    </Guarded>
  );
}

function Sessions() {
  const board = useMemo(() => new Board(["garage", "alarms", "zone/"]), []);
  return (
    <GarageFrame board={board} topic="sessions" title={t("sessions.title")}>
      <div class="sessions-page">
        <SessionRows limit={25} payer />
      </div>
    </GarageFrame>
  );
}

mount(Page, "page.sessions");
