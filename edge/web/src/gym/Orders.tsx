/** Standing orders. Many are by place, defects first: what the calendar asks of 232 points hides no torn belt. */
import { useMemo, useState } from "preact/hooks";

import { t } from "../lib/i18n";
import type { OrderView } from "../types";
import type { GymBoard } from "./board";
import { OrderCard } from "./OrderCard";
import { Chips, Places } from "./Places";
import { byPlace, FEW, isDefect } from "./places";

type Wanted = "defect" | "due" | "locked" | "all";

interface Props {
  orders: readonly OrderView[];
  board: GymBoard;
}

export function Orders({ orders, board }: Props) {
  if (orders.length > FEW) return <Many orders={orders} board={board} />;
  return <Cards orders={orders} board={board} />;
}

function Cards({ orders, board }: Props) {
  return (
    <ul class="orders">
      {orders.length === 0 && <li class="empty">{t("upkeep.none")}</li>}
      {orders.map((order) => (
        <OrderCard key={order.order_id} order={order} board={board} />
      ))}
    </ul>
  );
}

function Many({ orders, board }: Props) {
  const [wanted, setWanted] = useState<Wanted>("defect");
  const sorted = useMemo(
    () => ({
      defect: orders.filter(isDefect),
      due: orders.filter((one) => !isDefect(one)),
      locked: orders.filter((one) => one.state === "locked_out"),
      all: orders,
    }),
    [orders],
  );
  const words: readonly (readonly [Wanted, string])[] = [
    ["defect", t("place_trouble.defect")],
    ["due", t("orders.due")],
    ["locked", t("place_trouble.locked")],
    ["all", t("places.all")],
  ];
  return (
    <>
      <Chips
        label={t("upkeep.orders")}
        chosen={wanted}
        onChoose={setWanted}
        chips={words.map(([one, said]) => [one, said, sorted[one].length] as const)}
      />
      {sorted[wanted].length === 0 && <p class="empty">{t("places.none")}</p>}
      <Places
        places={byPlace(sorted[wanted], (one) => board.zoneOf(one.asset), board.gym.value?.zones ?? [])}
        nameOf={(zone) => board.placeOf(zone)}
        told={(here) => {
          const locked = here.filter((one) => one.state === "locked_out").length;
          return locked > 0 ? [[t("place_trouble.locked.n", { n: locked }), true]] : [];
        }}
        draw={(here) => <Cards orders={here} board={board} />}
      />
    </>
  );
}
