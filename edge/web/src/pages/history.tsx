/** /history: what was measured, from a year down to a second; up to four curves at a time. */
import { ChevronLeft, ChevronRight, Download, ZoomIn, ZoomOut } from "lucide";
import { useEffect, useMemo } from "preact/hooks";

import "../styles/history.css";
import { Archive, SPANS } from "../history/archive";
import { COLOURS, CurvePlot, DASHES } from "../history/CurvePlot";
import { titleOf } from "../history/names";
import { Picker } from "../history/Picker";
import { isZone } from "../history/zones";
import { t } from "../lib/i18n";
import { session } from "../lib/session";
import { Fault } from "../parts/Fault";
import { Gate } from "../parts/Gate";
import { Icon } from "../parts/Icon";
import { mount } from "../parts/mount";
import { NoticeStrip, type Notice } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";
import type { HistoryCurve } from "../types";

const ROLES = ["maintenance", "manager", "admin", "read-only"];

function Page() {
  const archive = useMemo(() => new Archive(), []);
  const ready = session.value === "ready";
  return (
    <div class="page page-history">
      <StateStrip page={t("history.title")} help="history" />
      <NoticeStrip notice={noticeOf(archive)} />
      <main>
        <Gate roles={ROLES}>{ready ? <History archive={archive} /> : null}</Gate>
      </main>
    </div>
  );
}

function noticeOf(archive: Archive): Notice {
  const trouble = archive.trouble.value;
  if (trouble) return { level: "warning", text: `${trouble.title} ${trouble.todo}` };
  return { level: "quiet", text: t("history.notice") };
}

function History({ archive }: { archive: Archive }) {
  useEffect(() => {
    void archive.learn();
  }, [archive]);
  if (archive.trouble.value && archive.series.value === null) {
    const trouble = archive.trouble.value;
    return (
      <Fault title={trouble.title} todo={trouble.todo}>
        <button type="button" onClick={() => void archive.learn()}>
          {t("history.again")}
        </button>
      </Fault>
    );
  }
  return (
    <div class="history">
      <Picker archive={archive} />
      <section class="history-view" aria-label={t("history.title")}>
        <Spans archive={archive} />
        <Curves archive={archive} />
      </section>
    </div>
  );
}

function Spans({ archive }: { archive: Archive }) {
  const { beginMs, endMs } = archive.span.value;
  const width = endMs - beginMs;
  return (
    <nav class="history-spans" aria-label={t("history.spans")}>
      {SPANS.map(([name, ms]) => (
        <button
          key={name}
          type="button"
          aria-pressed={Math.abs(width / ms - 1) < 0.01}
          onClick={() => {
            archive.showWidth(ms);
          }}
        >
          {t(`history.span.${name}`)}
        </button>
      ))}
      <span class="history-moves">
        <Move icon={ChevronLeft} text={t("history.earlier")} act={() => { archive.move(-1); }} />
        <Move icon={ZoomIn} text={t("history.closer")} act={() => { archive.zoom(0.5); }} />
        <Move icon={ZoomOut} text={t("history.wider")} act={() => { archive.zoom(2); }} />
        <Move icon={ChevronRight} text={t("history.later")} act={() => { archive.move(1); }} />
      </span>
    </nav>
  );
}

function Move({ icon, text, act }: { icon: typeof ZoomIn; text: string; act: () => void }) {
  return (
    <button type="button" onClick={act}>
      <Icon of={icon} />
      {text}
    </button>
  );
}

function Curves({ archive }: { archive: Archive }) {
  const plot = archive.plot.value;
  if (archive.chosen.value.length === 0) return <p class="empty curves-empty">{t("history.choose_first")}</p>;
  if (plot === null) return <p class="empty curves-empty">{t("notice.connecting")}</p>;
  const empty = plot.curves.every((curve) => curve.time_ms.length === 0);
  const zones = plot.curves.filter((curve) => isZone(curve.series.key));
  const single = plot.curves.filter((curve) => !isZone(curve.series.key));
  const coarse = Math.max(0, ...single.map((curve) => curve.resolution_s));
  return (
    <figure class="curves" data-busy={archive.busy.value} data-took={archive.tookMs.value} data-resolution={coarse}>
      <CurvePlot archive={archive} plot={plot} span={archive.shown.value} />
      <figcaption>
        <ul class="curves-keys">
          {plot.curves.map((curve, i) => (
            <CurveKey key={curve.series.key} curve={curve} i={i} />
          ))}
        </ul>
        <p class="curves-when" aria-live="off" />
        {empty && <p class="curves-none">{t("history.empty_span")}</p>}
        {plot.gaps.length > 0 && <p class="curves-lost">{t("history.lost", { n: plot.gaps.length })}</p>}
        <p class="curves-how">
          {single.length > 0 &&
            t(coarse === 0 ? "history.each" : coarse === 60 ? "history.minutes" : "history.hours")}{" "}
          {zones.length > 0 && t("history.zone_how")} {t("history.drag")}
        </p>
        {single.length > 0 && (
          <a class="button" href={`/api/v1/history/export.csv?${archive.query(archive.shown.value)}`} download>
            <Icon of={Download} />
            {t("history.csv")}
          </a>
        )}
      </figcaption>
    </figure>
  );
}

/** A stroke as the curve is drawn, its name, and the value under the pointer. */
function CurveKey({ curve, i }: { curve: HistoryCurve; i: number }) {
  return (
    <li data-curve={i}>
      <svg width="44" height="8" aria-hidden="true">
        <line
          x1="0"
          y1="4"
          x2="44"
          y2="4"
          stroke={`var(${COLOURS[i % COLOURS.length] ?? "--ink"})`}
          stroke-width="3"
          stroke-dasharray={(DASHES[i % DASHES.length] ?? []).join(" ")}
        />
      </svg>
      <strong>{titleOf(curve.series)}</strong>
      <output />
    </li>
  );
}

mount(Page, "page.history");
