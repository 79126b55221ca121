/** The photo of a work order: shown, taken away for good, or added by whoever mends the machine. */
import { t } from "../lib/i18n";
import type { OrderView } from "../types";
import { ErasePhoto } from "./ErasePhoto";
import { PhotoPick } from "./PhotoPick";
import { usePhotoSend } from "./photoSend";
import { PhotoState } from "./PhotoState";
import { PhotoThumb } from "./PhotoThumb";

export function OrderPhoto({ order, mayChange }: { order: OrderView; mayChange: boolean }) {
  const at = `/orders/${encodeURIComponent(order.order_id)}/photo`;
  if (order.photo) {
    return (
      <div class="order-photo">
        <PhotoThumb key={order.photo.digest} path={at} alt={t("photo.alt")} facts={order.photo} />
        {mayChange && <ErasePhoto path={`${at}/erase`} />}
      </div>
    );
  }
  return mayChange ? <Add at={at} /> : null;
}

function Add({ at }: { at: string }) {
  const sending = usePhotoSend();
  return (
    <details class="photo-add">
      <summary>{t("photo.add")}</summary>
      <PhotoPick photo={sending.photo} onChange={sending.choose} disabled={sending.busy} />
      <PhotoState of={sending} onSend={() => void sending.send(at)} />
    </details>
  );
}
