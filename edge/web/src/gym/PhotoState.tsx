/** What became of a photo once its words have arrived, and the way to send it again, or later. */
import { t } from "../lib/i18n";
import type { PhotoSend } from "./photoSend";

interface Props {
  of: PhotoSend;
  onSend: () => void;
}

export function PhotoState({ of, onSend }: Props) {
  if (of.busy) return <p class="photo-said" role="status">{t("photo.sending")}</p>;
  if (of.kept) return <p class="said" role="status">{t("photo.kept")}</p>;
  if (!of.photo) return null;
  return (
    <div class="photo-left" role="status">
      {of.failed !== "" && (
        <p>
          <strong>{t("photo.failed")}</strong> {of.failed}
        </p>
      )}
      <button type="button" class="primary" onClick={onSend}>
        {t("photo.send")}
      </button>
    </div>
  );
}
