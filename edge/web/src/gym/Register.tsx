/** The register of equipment: dates, inspections and what stands against each piece; what is not known is said. */
import { useEffect, useMemo, useState } from "preact/hooks";

import { call } from "../lib/http";
import { say, t } from "../lib/i18n";
import { Newest } from "../lib/newest";
import type { Register as RegisterList, RegisterItem } from "../types";
import { PhotoThumb } from "./PhotoThumb";
import { Chips, Places } from "./Places";
import { BATTERY_LOW_PCT, byPlace, FEW, isFound, TROUBLES, troublesOf, type Trouble } from "./places";
import { word } from "./words";

interface Props {
  /** Business day; later days are still to come. */
  today: string;
  onChoose: (asset: string) => void;
}

/** `hidden`: one piece is looked at; the list is as it was when somebody comes back to it, and read anew. */
export function Register({ today, onChoose, hidden }: Props & { hidden: boolean }) {
  const [outdoor, setOutdoor] = useState(true);
  const [items, setItems] = useState<readonly RegisterItem[] | null>(null);
  const [away, setAway] = useState(false);
  const query = `?outdoor=${outdoor}`;
  const asked = useMemo(() => new Newest(), []);
  useEffect(() => {
    if (hidden) return;
    const wanted = asked.ask();
    call<RegisterList>(`/gym/register${query}`)
      .then((answer) => {
        if (!wanted()) return;
        setItems(answer.items);
        setAway(false);
      })
      .catch(() => {
        if (wanted()) setAway(true);
      });
  }, [query, hidden]);
  return (
    <section class="register" hidden={hidden}>
      <div class="tabs">
        <button
          type="button"
          aria-pressed={outdoor}
          onClick={() => {
            setOutdoor(!outdoor);
          }}
        >
          {t("register.outdoor")}
        </button>
        <a class="button" href={`/api/v1/gym/register.csv${query}`} download>
          {t("register.sheet")}
        </a>
      </div>
      {away && <p class="empty">{t("register.away")}</p>}
      {!away && items?.length === 0 && <p class="empty">{t("register.none")}</p>}
      {!away && items && items.length > FEW && <Long items={items} today={today} onChoose={onChoose} />}
      {!away && items && items.length <= FEW && <Pieces items={items} today={today} onChoose={onChoose} />}
    </section>
  );
}

interface PiecesProps extends Props {
  items: readonly RegisterItem[];
}

function Pieces({ items, today, onChoose }: PiecesProps) {
  return (
    <ul class="rows">
      {items.map((item) => (
        <Piece key={item.asset} item={item} today={today} onChoose={onChoose} />
      ))}
    </ul>
  );
}

/** More than anybody looks through: by place, with what has to be done, and what is looked for. */
function Long({ items, today, onChoose }: PiecesProps) {
  const [wanted, setWanted] = useState<Trouble | "all">("all");
  const [typed, setTyped] = useState("");
  const troubles = useMemo(() => new Map(items.map((one) => [one.asset, troublesOf(one, today)])), [items, today]);
  const has = (item: RegisterItem, trouble: Trouble): boolean => troubles.get(item.asset)?.includes(trouble) ?? false;
  const count = (some: readonly RegisterItem[], trouble: Trouble): number =>
    some.filter((one) => has(one, trouble)).length;
  const found = items.filter((one) => isFound(one, typed));
  const shown = wanted === "all" ? found : found.filter((one) => has(one, wanted));
  const names = new Map(items.map((one) => [one.zone, one.place]));
  return (
    <>
      <label class="find">
        {t("register.find")}
        <input
          type="search"
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
          }}
        />
      </label>
      <Chips
        label={t("register.wanted")}
        chosen={wanted}
        onChoose={setWanted}
        chips={[
          ["all", t("places.all"), found.length] as const,
          ...TROUBLES.map((one) => [one, t(`place_trouble.${one}`), count(found, one)] as const),
        ]}
      />
      {shown.length === 0 && <p class="empty">{t("places.none")}</p>}
      <Places
        places={byPlace(shown, (one) => one.zone, [])}
        nameOf={(zone) => say(names.get(zone) ?? { zh: zone, en: zone })}
        told={(here) => [
          ...TROUBLES.map((one) => [one, count(here, one)] as const)
            .filter(([, n]) => n > 0)
            .map(([one, n]) => [t(`place_trouble.${one}.n`, { n }), true] as const),
          ...usesOf(here),
        ]}
        draw={(here) => <Pieces items={here} today={today} onChoose={onChoose} />}
      />
    </>
  );
}

function usesOf(items: readonly RegisterItem[]): (readonly [string, boolean])[] {
  const counted = items.filter((one) => one.uses_today !== null);
  if (counted.length === 0) return [];
  return [[t("register.uses", { n: counted.reduce((sum, one) => sum + (one.uses_today ?? 0), 0) }), false]];
}

interface PieceProps extends Props {
  item: RegisterItem;
}

function Piece({ item, today, onChoose }: PieceProps) {
  const made = [item.maker, item.model, item.serial].filter((one) => one !== "").join(" · ");
  return (
    <li>
      <strong>{say(item.name)}</strong>
      {item.kind !== "outdoor" && <span>{word("kind", item.kind)}</span>}
      {made !== "" && <span>{made}</span>}
      {item.installed === "" ? (
        <em>{t("register.installed.none")}</em>
      ) : (
        <span>{t("register.installed", { day: item.installed })}</span>
      )}
      <Until day={item.life_end} today={today} still="register.life" over="register.life.over" />
      <Inspected item={item} />
      <Until day={item.inspection_due} today={today} still="register.next" over="register.next.over" />
      {item.hours_h !== null && item.hours_h > 0 && <span>{t("upkeep.hours", { h: item.hours_h })}</span>}
      {item.starts !== null && item.starts > 0 && <span>{t("register.starts", { n: item.starts })}</span>}
      {item.inspection_photo > 0 && (
        <PhotoThumb
          path={`/assets/${encodeURIComponent(item.asset)}/inspections/${item.inspection_photo}/photo`}
          alt={`${say(item.name)}: ${t("photo.alt.inspection")}`}
        />
      )}
      <Counter item={item} />
      {item.orders > 0 && <em>{t("register.orders", { n: item.orders })}</em>}
      {item.locked_out && <em>{word("order_state", "locked_out")}</em>}
      <button
        type="button"
        onClick={() => {
          onChoose(item.asset);
        }}
      >
        {t("workouts.show")}
      </button>
    </li>
  );
}

/** Of an outdoor point: how often it was used, and whether its counter still tells. */
function Counter({ item }: { item: RegisterItem }) {
  return (
    <>
      {item.uses_today !== null && <span>{t("register.uses", { n: item.uses_today })}</span>}
      {item.counter_silent && <em>{t("register.silent", { day: item.counter_day })}</em>}
      {item.battery_pct !== null && item.battery_pct < BATTERY_LOW_PCT && (
        <em>{t("register.battery", { pct: item.battery_pct })}</em>
      )}
    </>
  );
}

interface UntilProps {
  day: string;
  today: string;
  still: "register.life" | "register.next";
  over: "register.life.over" | "register.next.over";
}

function Until({ day, today, still, over }: UntilProps) {
  if (day === "") return null;
  return day <= today ? <em>{t(over, { day })}</em> : <span>{t(still, { day })}</span>;
}

function Inspected({ item }: { item: RegisterItem }) {
  if (item.inspected_day === "") {
    return item.kind === "outdoor" || item.inspection_due !== "" ? <em>{t("register.uninspected")}</em> : null;
  }
  const words = t("register.inspected", { day: item.inspected_day, grade: word("grade", item.inspection_grade) });
  return item.inspection_grade === "ok" ? <span>{words}</span> : <em>{words}</em>;
}
