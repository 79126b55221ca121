/** What the person can do now: one large button, quieter ones below. Disabled buttons say why. */
import { Banknote, CircleCheck, CreditCard, HandHelping, LoaderCircle, ReceiptText, UserX } from "lucide";

import { money } from "../lib/format";
import { t } from "../lib/i18n";
import { Hold } from "../parts/Hold";
import { useSettled } from "../parts/settled";
import type { LaneView } from "../types";
import { Act } from "./Act";
import type { LaneControl, Pane } from "./control";
import { countRead } from "./words";

/** Without an answer for this long, staff may look the order up and release the lane. */
const RELEASE_AFTER_TRIES = 4;

export function Actions({ control }: { control: LaneControl }) {
  const view = control.view.value;
  const mode = control.mode.value;
  if (mode === "paying") return <Paying control={control} />;
  if (mode === "refused") {
    return (
      <div class="actions">
        <Act
          primary
          onPress={() => {
            control.outbox.dismiss();
          }}
        >
          {t("act.understood")}
        </Act>
        <CallStaff control={control} />
      </div>
    );
  }
  if (!view || mode === "waiting" || mode === "confirmed") return <div class="actions" />;
  return <div class="actions">{forPhase(control, view)}</div>;
}

function forPhase(control: LaneControl, view: LaneView) {
  const pane = control.pane.value;
  if (pane === "cash" && view.phase === "firm") return <CashConfirm control={control} view={view} />;
  if (pane === "card" || pane === "count") return <Back control={control} />;
  switch (view.phase) {
    case "firm":
      return view.diner.member === null ? (
        <GuestPays control={control} view={view} />
      ) : (
        <MemberPays control={control} view={view} />
      );
    case "ask":
      return <AskCount control={control} view={view} />;
    case "blocked":
      return <Blocked control={control} view={view} />;
    case "paid":
      return <Receipts control={control} />;
    case "empty":
    case "reading":
      return <Identify control={control} view={view} />;
    case "offline":
      return <CallStaff control={control} primary />;
  }
}

function show(control: LaneControl, pane: Pane): void {
  control.pane.value = control.pane.value === pane ? "plates" : pane;
}

function GuestPays({ control, view }: { control: LaneControl; view: LaneView }) {
  const frozen = control.stale.value;
  if (view.payable_fen === 0) return <PayNothing control={control} />;
  return (
    <>
      <Act
        icon={CreditCard}
        primary
        disabled={frozen}
        onPress={() => {
          show(control, "card");
        }}
      >
        {t("act.card")}
      </Act>
      <Act
        icon={Banknote}
        disabled={frozen}
        onPress={() => {
          show(control, "cash");
        }}
      >
        {t("act.cash")}
      </Act>
    </>
  );
}

function PayNothing({ control }: { control: LaneControl }) {
  const settled = useSettled("nothing");
  return (
    <Act
      icon={CircleCheck}
      primary
      settled={settled}
      disabled={control.stale.value}
      onPress={() => {
        control.pay("cash");
      }}
    >
      {t("act.nothing")}
    </Act>
  );
}

function MemberPays({ control, view }: { control: LaneControl; view: LaneView }) {
  const balance = view.diner.balance_fen ?? 0;
  const missing = view.payable_fen - balance;
  const frozen = control.stale.value;
  const settled = useSettled(`${view.diner.member ?? ""} ${view.payable_fen}`);
  return (
    <>
      <Act
        icon={CreditCard}
        primary
        disabled={frozen || missing > 0}
        settled={settled}
        onPress={() => {
          control.pay("purse");
        }}
      >
        {missing > 0 ? t("act.short", { fen: money(missing) }) : t("act.purse", { fen: money(view.payable_fen) })}
        {missing <= 0 && <small>{t("act.after", { fen: money(-missing) })}</small>}
      </Act>
      <div class="actions-row">
        <Act
          icon={Banknote}
          disabled={frozen}
          onPress={() => {
            show(control, "cash");
          }}
        >
          {t("act.cash")}
        </Act>
        <Act icon={UserX} disabled={frozen || control.sent.value !== ""} onPress={() => void control.identify("")}>
          {t("act.forget")}
        </Act>
      </div>
    </>
  );
}

function Identify({ control, view }: { control: LaneControl; view: LaneView }) {
  const busy = control.stale.value || control.sent.value !== "";
  if (view.diner.member !== null) {
    return (
      <Act icon={UserX} disabled={busy} onPress={() => void control.identify("")}>
        {t("act.forget")}
      </Act>
    );
  }
  return (
    <Act
      icon={CreditCard}
      disabled={busy}
      onPress={() => {
        show(control, "card");
      }}
    >
      {t("act.identify")}
    </Act>
  );
}

function CashConfirm({ control, view }: { control: LaneControl; view: LaneView }) {
  const tendered = control.tendered.value;
  const change = (tendered ?? 0) - view.payable_fen;
  const short = tendered !== null && change < 0;
  return (
    <>
      <Act
        primary
        disabled={control.stale.value || tendered === null || short}
        onPress={() => {
          control.pay("cash");
        }}
      >
        {tendered === null && t("cash.choose")}
        {short && t("cash.short", { fen: money(-change) })}
        {tendered !== null && !short && (
          <>
            {t("cash.got", { fen: money(tendered) })}
            <small>{t("cash.change", { fen: money(change) })}</small>
          </>
        )}
      </Act>
      <Back control={control} />
    </>
  );
}

function Back({ control }: { control: LaneControl }) {
  return (
    <Act onPress={() => { control.pane.value = "plates"; }}>
      {t("act.back")}
    </Act>
  );
}

function AskCount({ control, view }: { control: LaneControl; view: LaneView }) {
  const read = countRead(view);
  const busy = control.stale.value || control.sent.value !== "";
  return (
    <>
      <Act icon={CircleCheck} primary disabled={busy} onPress={() => void control.confirmPlates(read)}>
        {t("act.all_plates", { n: read })}
      </Act>
      <Act
        disabled={busy}
        onPress={() => {
          show(control, "count");
        }}
      >
        {t("act.other_count", { n: read })}
      </Act>
    </>
  );
}

function Blocked({ control, view }: { control: LaneControl; view: LaneView }) {
  const read = countRead(view);
  const busy = control.stale.value || control.sent.value !== "";
  return (
    <>
      <CallStaff control={control} primary />
      {view.problem === "count_differs" && (
        <Act disabled={busy} onPress={() => void control.confirmPlates(read)}>
          {t("act.recounted", { n: read })}
        </Act>
      )}
    </>
  );
}

function CallStaff({ control, primary = false }: { control: LaneControl; primary?: boolean }) {
  const called = control.view.value?.staff_called === true;
  const sent = control.sent.value === "call-staff";
  return (
    <Act
      icon={HandHelping}
      primary={primary}
      disabled={called || sent || control.stale.value}
      onPress={() => void control.callStaff(true)}
    >
      {t(sent ? "act.sent" : called ? "act.staff_called" : "act.call_staff")}
    </Act>
  );
}

function Receipts({ control }: { control: LaneControl }) {
  return (
    <Act
      icon={ReceiptText}
      onPress={() => {
        show(control, "receipt");
      }}
    >
      {t(control.pane.value === "receipt" ? "act.back" : "act.receipt")}
    </Act>
  );
}

function Paying({ control }: { control: LaneControl }) {
  const payment = control.outbox.delivery.value;
  const stuck = payment.at === "sent" && payment.tries >= RELEASE_AFTER_TRIES;
  return (
    <div class="actions">
      <Act icon={LoaderCircle} primary disabled onPress={() => undefined}>
        {t("act.sent")}
      </Act>
      {stuck && (
        <Hold
          class="secondary"
          onHeld={() => {
            control.outbox.release();
          }}
        >
          {t("act.release")}
        </Hold>
      )}
    </div>
  );
}
