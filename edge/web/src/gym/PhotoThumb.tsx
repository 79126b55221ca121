/** A kept photo, small; a touch makes it large where it stands, another one small again. */
import { useState } from "preact/hooks";

import { dayTimeOfNs } from "../lib/format";
import { t } from "../lib/i18n";
import type { PhotoView } from "../types";

interface Props {
  /** Below `/api/v1/gym`. */
  path: string;
  alt: string;
  /** Its facts where they are known: they keep its place and say when it was taken. */
  facts?: PhotoView;
}

export function PhotoThumb({ path, alt, facts }: Props) {
  const [large, setLarge] = useState(false);
  const [gone, setGone] = useState(false);
  if (gone) return <p class="photo-gone">{t("photo.gone")}</p>;
  const at = facts ? `${path}?v=${facts.digest}` : path;
  return (
    <figure class="photo" data-large={large}>
      <button
        type="button"
        aria-expanded={large}
        aria-label={`${alt}: ${large ? t("photo.close") : t("photo.open")}`}
        onClick={() => {
          setLarge(!large);
        }}
      >
        <img
          src={`/api/v1/gym${at}`}
          alt=""
          loading="lazy"
          {...(facts ? { width: facts.width_px, height: facts.height_px } : {})}
          onError={() => {
            setGone(true);
          }}
        />
      </button>
      {facts && <figcaption>{t("photo.taken", { when: dayTimeOfNs(facts.taken_wall_ns) })}</figcaption>}
    </figure>
  );
}
