/** Take or choose a photo, see it as it will be sent, and change one's mind. */
import { Camera, Image, Trash2 } from "lucide";
import type { IconNode } from "lucide";
import { useState } from "preact/hooks";

import { t } from "../lib/i18n";
import { Icon } from "../parts/Icon";
import { type Photo, shrink } from "./photo";

interface Props {
  photo: Photo | null;
  onChange: (photo: Photo | null) => void;
  disabled?: boolean;
}

type State = "idle" | "working" | "bad";

export function PhotoPick({ photo, onChange, disabled = false }: Props) {
  const [state, setState] = useState<State>("idle");
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    onChange(null);
    setState("working");
    try {
      onChange(await shrink(file));
      setState("idle");
    } catch {
      setState("bad");
    }
  };
  const off = disabled || state === "working";
  return (
    <div class="photo-pick" data-at={photo ? "chosen" : state}>
      {photo ? (
        <figure>
          <img src={photo.url} width={photo.width} height={photo.height} alt={t("photo.yours")} />
          <figcaption>
            <button
              type="button"
              disabled={disabled}
              onClick={() => {
                onChange(null);
              }}
            >
              <Icon of={Trash2} />
              {t("photo.remove")}
            </button>
          </figcaption>
        </figure>
      ) : (
        <div class="photo-ways">
          <Way icon={Camera} words={t("photo.take")} camera disabled={off} onFile={take} />
          <Way icon={Image} words={t("photo.choose")} disabled={off} onFile={take} />
        </div>
      )}
      <p class="photo-said" role="status">
        {state === "working" && t("photo.working")}
        {state === "bad" && (
          <>
            <strong>{t("photo.bad")}</strong> {t("photo.bad.do")}
          </>
        )}
        {state === "idle" && !photo && t("photo.privacy")}
      </p>
    </div>
  );
}

interface WayProps {
  icon: IconNode;
  words: string;
  camera?: boolean;
  disabled: boolean;
  onFile: (file: File | undefined) => Promise<void>;
}

/** A file field that looks like the other buttons; it lies over its words, so it is what is touched and focused. */
function Way({ icon, words, camera = false, disabled, onFile }: WayProps) {
  return (
    <label class="button photo-way" data-disabled={disabled}>
      <Icon of={icon} />
      {words}
      <input
        type="file"
        accept="image/*"
        {...(camera ? { capture: "environment" as const } : {})}
        disabled={disabled}
        onChange={(event) => {
          const field = event.currentTarget;
          void onFile(field.files?.[0]).then(() => {
            field.value = ""; // the same file can be chosen again
          });
        }}
      />
    </label>
  );
}
