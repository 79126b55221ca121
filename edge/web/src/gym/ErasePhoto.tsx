/** Takes a photo away for good: somebody can be seen on it, or it shows nothing. */
import { useMemo } from "preact/hooks";

import { t } from "../lib/i18n";
import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { Hold } from "../parts/Hold";

interface Props {
  /** Below the gym. */
  path: string;
  onDone?: () => void;
}

export function ErasePhoto({ path, onDone }: Props) {
  const act = useMemo(() => new Act("gym"), []);
  const erase = async (): Promise<void> => {
    if (await act.send(path)) onDone?.();
  };
  return (
    <div class="photo-erase">
      <Hold class="act" disabled={act.state.value.at === "sent"} onHeld={() => void erase()}>
        <strong>{t("photo.erase")}</strong> {t("photo.erase.does")}
      </Hold>
      <ActLine act={act} />
    </div>
  );
}
