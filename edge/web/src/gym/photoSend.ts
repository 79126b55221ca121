/**
 * A photo on its way, apart from the words that it belongs to: those have arrived before it is sent. Why it did not get
 * through stays on the page until another try; whoever put the phone away for a minute must still learn it.
 */
import { useMemo, useState } from "preact/hooks";

import { Act } from "../parts/act";
import type { Photo } from "./photo";

export interface PhotoSend {
  photo: Photo | null;
  /** The last one has arrived. */
  kept: boolean;
  /** Why the last try did not succeed; "" when nothing is wrong. */
  failed: string;
  busy: boolean;
  choose: (photo: Photo | null) => void;
  /** Sends the chosen photo, if there is one, to `path` below the gym; gives whether it has arrived. */
  send: (path: string) => Promise<boolean>;
}

export function usePhotoSend(): PhotoSend {
  const act = useMemo(() => new Act("gym"), []);
  const [photo, setPhoto] = useState<Photo | null>(null);
  const [kept, setKept] = useState(false);
  const [failed, setFailed] = useState("");
  const choose = (next: Photo | null): void => {
    setPhoto(next);
    setKept(false);
    setFailed("");
  };
  const send = async (path: string): Promise<boolean> => {
    if (!photo) return false;
    setFailed("");
    const arrived = await act.sendPhoto(path, photo.blob);
    if (arrived) {
      setPhoto(null);
      setKept(true);
    } else {
      const now = act.state.peek();
      setFailed("title" in now ? `${now.title} ${now.todo}` : "");
    }
    return arrived;
  };
  return { photo, kept, failed, busy: act.state.value.at === "sent", choose, send };
}
