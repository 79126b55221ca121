/** Cash into a member's purse. The balance is read first, and the amount is shown before it is done. */
import { useMemo, useState } from "preact/hooks";

import { money } from "../lib/format";
import { call, wordsOf } from "../lib/http";
import { t } from "../lib/i18n";
import { Newest } from "../lib/newest";
import { Hold } from "../parts/Hold";
import type { Purse } from "../types";
import type { Desk } from "./desk";

const AMOUNTS_FEN = [5_000, 10_000, 20_000, 50_000] as const;

interface Props {
  desk: Desk;
  /** Members who stand at a lane now, as a shortcut. */
  present: readonly { member: string; lane: string }[];
}

export function TopUp({ desk, present }: Props) {
  const [purse, setPurse] = useState<Purse | null>(null);
  const [fen, setFen] = useState<number>(AMOUNTS_FEN[1]);
  const [oops, setOops] = useState("");
  const looking = useMemo(() => new Newest(), []);
  const look = async (member: string): Promise<void> => {
    const wanted = looking.ask();
    setPurse(null);
    setOops("");
    if (member === "") return;
    try {
      const found = await call<Purse>(`/canteen/members/${encodeURIComponent(member)}/purse?limit=1`);
      if (wanted()) setPurse(found);
    } catch (error) {
      const words = wordsOf(error);
      if (wanted()) setOops(`${words.title} ${words.todo}`);
    }
  };
  return (
    <section class="panel topup">
      <h2>{t("topup.title")}</h2>
      <Lookup present={present} onLook={look} />
      <p class="topup-balance" role="status">
        {oops || (purse ? t("topup.balance", { who: purse.member, fen: money(purse.balance_fen) }) : "")}
      </p>
      <div class="panel-row" role="group" aria-label={t("topup.amount")}>
        {AMOUNTS_FEN.map((amount) => (
          <button
            key={amount}
            type="button"
            aria-pressed={fen === amount}
            onClick={() => {
              setFen(amount);
            }}
          >
            {money(amount)}
          </button>
        ))}
      </div>
      <Hold
        class="primary"
        disabled={purse === null || desk.outbox.delivery.value.at === "sent"}
        onHeld={() => {
          if (purse) desk.topUp(purse.member, fen);
        }}
      >
        {t("topup.go", { fen: money(fen) })}
      </Hold>
    </section>
  );
}

/** Whose purse: typed, or the member who stands at a lane. Typing anew forgets the purse shown. */
function Lookup({ present, onLook }: { present: Props["present"]; onLook: (member: string) => Promise<void> }) {
  const [typed, setTyped] = useState("");
  const choose = (member: string): void => {
    setTyped(member);
    void onLook(member);
  };
  return (
    <form
      class="desk-key"
      onSubmit={(event) => {
        event.preventDefault();
        choose(typed.trim());
      }}
    >
      <label>
        <span class="hidden">{t("topup.member")}</span>
        <input
          type="text"
          value={typed}
          placeholder={t("topup.member")}
          maxLength={64}
          autocomplete="off"
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            void onLook("");
          }}
        />
      </label>
      <button type="submit" disabled={typed.trim() === ""}>
        {t("topup.look")}
      </button>
      {present.map((one) => (
        <button
          key={one.lane}
          type="button"
          onClick={() => {
            choose(one.member);
          }}
        >
          {t("topup.at_lane", { lane: one.lane })}
        </button>
      ))}
    </form>
  );
}
