/** The register of equipment: dates, inspections and what stands against each piece; what is not known is said. */
import { useEffect, useMemo, useState } from "preact/hooks";

import { call } from "../lib/http";
import { say, t } from "../lib/i18n";
import { Newest } from "../lib/newest";
import type { Register as RegisterList, RegisterItem } from "../types";
import { PhotoThumb } from "./PhotoThumb";
import { word } from "./words";

interface Props {
  /** Business day; later days are still to come. */
  today: string;
  onChoose: (asset: string) => void;
}

export function Register({ today, onChoose }: Props) {
  const [outdoor, setOutdoor] = useState(true);
  const [items, setItems] = useState<readonly RegisterItem[] | null>(null);
  const [away, setAway] = useState(false);
  const query = `?outdoor=${outdoor}`;
  const asked = useMemo(() => new Newest(), []);
  useEffect(() => {
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
  }, [query]);
  return (
    <section class="register">
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
      {!away && items && (
        <ul class="rows">
          {items.map((item) => (
            <Piece key={item.asset} item={item} today={today} onChoose={onChoose} />
          ))}
        </ul>
      )}
    </section>
  );
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
