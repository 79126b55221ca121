/** The diner counts the plates: the second sensor against chips that never answer. */
import { Minus, Plus } from "lucide";
import { useState } from "preact/hooks";

import { t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import type { LaneControl } from "./control";

const MAX_PLATES = 30;

export function CountPane({ control, read }: { control: LaneControl; read: number }) {
  const [count, setCount] = useState(read + 1);
  return (
    <div class="pane count-pane">
      <h3>{t("count.title")}</h3>
      <p>{t("count.read", { n: read })}</p>
      <div class="stepper">
        <button
          type="button"
          aria-label={t("count.less")}
          disabled={count <= 1}
          onClick={() => {
            setCount(count - 1);
          }}
        >
          <Icon of={Minus} />
        </button>
        <output>{count}</output>
        <button
          type="button"
          aria-label={t("count.more")}
          disabled={count >= MAX_PLATES}
          onClick={() => {
            setCount(count + 1);
          }}
        >
          <Icon of={Plus} />
        </button>
      </div>
      <button
        type="button"
        class="wide"
        disabled={control.sent.value !== "" || control.stale.value}
        onClick={() => void control.confirmPlates(count)}
      >
        {t("count.confirm", { n: count })}
      </button>
    </div>
  );
}
