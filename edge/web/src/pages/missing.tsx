/** The page for addresses that lead nowhere. */
import { t } from "../lib/i18n";
import { Fault } from "../parts/Fault";
import { mount } from "../parts/mount";
import { NoticeStrip } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";

function Page() {
  return (
    <div class="page">
      <StateStrip page={t("missing.title")} help="missing" />
      <NoticeStrip notice={{ level: "quiet", text: t("notice.local") }} />
      <main>
        <Fault title={t("missing.title")} todo={t("missing.do", { path: window.location.pathname })}>
          <a class="button" href="/">
            {t("gate.home")}
          </a>
        </Fault>
      </main>
    </div>
  );
}

mount(Page, "page.missing");
