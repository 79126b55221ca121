/** /menu: today's board on the wall. Dishes keep their places; pages turn slowly when they do not fit. */
import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import "../styles/menu.css";
import { longDay } from "../lib/format";
import { known, lang, t } from "../lib/i18n";
import { Live } from "../lib/live";
import { size } from "../lib/prefs";
import { isOutdated, session } from "../lib/session";
import { DishTile } from "../menu/DishTile";
import { Gate } from "../parts/Gate";
import { mount } from "../parts/mount";
import { linkNotice, NoticeStrip, type Notice } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";
import { Turner, useTurning } from "../parts/Turner";
import type { MenuView } from "../types";

/** What fits: 24 dishes; 12 in large, and in English, whose words are longer. */
const MANY = 24;
const FEW = 12;
const TURN_MS = 20_000;

function Page() {
  if (session.value === "ready") return <Board />;
  return (
    <div class="page page-menu">
      <StateStrip page={t("menu.title")} help="menu" />
      <main>
        <Gate>{null}</Gate>
      </main>
    </div>
  );
}

function Board() {
  const live = useMemo(() => new Live(["menu"]), []);
  const menu = (live.view("menu") as ReadonlySignal<MenuView | undefined>).value;
  const items = menu?.items ?? [];
  const large = size.value === "elder" || lang.value === "en" || items.length <= FEW;
  const perPage = large ? FEW : MANY;
  const pages = Math.max(1, Math.ceil(items.length / perPage));
  const turning = useTurning(pages, TURN_MS);
  const page = turning.page;
  useReload(live);
  const meal = menu ? known(`meal.${menu.meal}`) : null;
  const title = menu ? `${t("menu.title")} · ${longDay(menu.business_day)}` : t("menu.title");
  return (
    <div class="page page-menu">
      <StateStrip page={meal ? `${title} · ${t(meal)}` : title} link={live.state.value} help="menu">
        <Turner turning={turning} label={t("menu.pages")} />
      </StateStrip>
      <NoticeStrip notice={noticeOf(live)} />
      <main>
        {menu && items.length === 0 && <p class="board-empty">{t("menu.empty")}</p>}
        <ul class="board" data-grid={perPage} data-stale={live.state.value !== "live"}>
          {menu &&
            items
              .slice(page * perPage, (page + 1) * perPage)
              .map((dish) => <DishTile key={dish.dish_id} dish={dish} daily={menu.reference} />)}
        </ul>
      </main>
    </div>
  );
}

function noticeOf(live: Live): Notice {
  return linkNotice(live.state.value, live.ageS.value) ?? { level: "quiet", text: t("menu.allergens") };
}

/** After an upgrade of the box a wall that nobody touches reloads itself. */
function useReload(live: Live): void {
  const opened = live.opened.value;
  useEffect(() => {
    if (opened < 2) return;
    void isOutdated().then((outdated) => {
      if (outdated) window.location.reload();
    });
  }, [opened]);
}

mount(Page, "page.menu");
