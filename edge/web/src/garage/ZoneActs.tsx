/**
 * What a person can do to a zone, as separate acts with their consequences in words. Reset is offered where the box can
 * believe that somebody stands there: at a panel bound to a place, with a personal PIN. It never touches the certified
 * fire panel.
 */
import { useMemo, useState } from "preact/hooks";

import { t } from "../lib/i18n";
import { me } from "../lib/session";
import { Hold } from "../parts/Hold";
import type { ZoneView } from "../types";
import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { Button } from "../parts/ActButton";
import { blockWords, levelOf } from "./words";

const TEST_MIN = 30;
const TESTERS = ["panel", "maintenance"];

export function ZoneActs({ zone }: { zone: ZoneView }) {
  const act = useMemo(() => new Act(), []);
  const role = me.value?.role ?? "";
  const path = `/zones/${encodeURIComponent(zone.zone)}`;
  const hot = ["act", "fire"].includes(levelOf(zone.state));
  if (role === "read-only") return null;
  const busy = act.state.value.at === "sent";
  return (
    <section class="panel zone-acts" aria-label={t("zone.acts")}>
      <h2>{t("zone.acts")}</h2>
      <Button
        text={t("press.silence")}
        does={t("press.silence.does")}
        busy={busy || !hot || zone.silenced}
        onPress={() => {
          void act.send(`${path}/silence`);
        }}
      />
      {TESTERS.includes(role) && (
        <Button
          text={t(zone.test_left_s > 0 ? "press.test_end" : "press.test")}
          does={t("press.test.does", { n: TEST_MIN })}
          busy={busy || hot}
          onPress={() => {
            void act.send(`${path}/test`, { minutes: zone.test_left_s > 0 ? 0 : TEST_MIN });
          }}
        />
      )}
      <div class="held-act">
        <Hold
          disabled={busy}
          onHeld={() => {
            void act.send(`${path}/cut`, { reason: "by hand" });
          }}
        >
          {t("press.cut")}
        </Hold>
        <small>{t("press.cut.does")}</small>
      </div>
      <Reset zone={zone} path={path} act={act} />
      <ActLine act={act} />
    </section>
  );
}

function Reset({ zone, path, act }: { zone: ZoneView; path: string; act: Act }) {
  if (!["latched", "resettable", "pre_alarm", "fire"].includes(zone.state)) return null;
  const here = me.value?.panel ?? null;
  return (
    <div class="reset">
      <h3>{t("press.reset")}</h3>
      <p>{t("press.reset.does")}</p>
      {zone.blocks_reset.length > 0 && (
        <ul class="blocks">
          {zone.blocks_reset.map((block) => (
            <li key={block}>{blockWords(block, zone)}</li>
          ))}
        </ul>
      )}
      {here === null ? (
        <p class="on-site">{t("press.reset.on_site")}</p>
      ) : (
        <ResetForm zone={zone} path={path} act={act} />
      )}
    </div>
  );
}

function ResetForm({ zone, path, act }: { zone: ZoneView; path: string; act: Act }) {
  const [person, setPerson] = useState("");
  const [pin, setPin] = useState("");
  const ready = zone.state === "resettable" && person !== "" && pin !== "" && act.state.value.at !== "sent";
  return (
    <form
      class="reset-form"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <label>
        {t("press.reset.person")}
        <input
          value={person}
          autocomplete="off"
          autocapitalize="none"
          onInput={(event) => {
            setPerson(event.currentTarget.value.trim());
          }}
        />
      </label>
      <label>
        {t("press.reset.pin")}
        <input
          type="password"
          inputMode="numeric"
          autocomplete="off"
          value={pin}
          onInput={(event) => {
            setPin(event.currentTarget.value.trim());
          }}
        />
      </label>
      <Hold
        disabled={!ready}
        onHeld={() => {
          const body = { person, pin };
          setPin("");
          void act.send(`${path}/reset`, body);
        }}
      >
        {t("press.reset.press")}
      </Hold>
    </form>
  );
}
