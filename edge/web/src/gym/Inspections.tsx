/** Inspections of one machine: the checklist to go through, with a photo, and those before. */
import { useEffect, useMemo, useState } from "preact/hooks";

import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { call } from "../lib/http";
import { say, t } from "../lib/i18n";
import { Newest } from "../lib/newest";
import type { InspectionList, MaintenanceView } from "../types";
import { ErasePhoto } from "./ErasePhoto";
import { PhotoPick } from "./PhotoPick";
import { usePhotoSend } from "./photoSend";
import { PhotoState } from "./PhotoState";
import { PhotoThumb } from "./PhotoThumb";
import { word } from "./words";

const GRADES = ["ok", "minor", "major", "danger"] as const;

type Checklist = MaintenanceView["checklist"];

interface Props {
  asset: string;
  /** Empty: for reading alone. */
  checklist: Checklist;
}

export function Inspections({ asset, checklist }: Props) {
  const [handedIn, setHandedIn] = useState(0);
  const again = (): void => {
    setHandedIn((count) => count + 1);
  };
  return (
    <>
      {checklist.length > 0 && <Inspect asset={asset} checklist={checklist} onDone={again} />}
      <Earlier asset={asset} handedIn={handedIn} onErased={checklist.length > 0 ? again : null} />
    </>
  );
}

function Inspect({ asset, checklist, onDone }: Props & { onDone: () => void }) {
  const act = useMemo(() => new Act("gym"), []);
  const [grades, setGrades] = useState<Partial<Record<string, string>>>({});
  const [note, setNote] = useState("");
  const sending = usePhotoSend();
  /** Number of the inspection that was handed in here; 0 before. */
  const [handedIn, setHandedIn] = useState(0);
  const whole = checklist.every(([item]) => grades[item] !== undefined);
  const busy = act.state.value.at === "sent" || sending.busy;
  const sendPhoto = async (number: number): Promise<void> => {
    const path = `/assets/${encodeURIComponent(asset)}/inspections/${number}/photo`;
    if (await sending.send(path)) onDone();
  };
  const handIn = async (): Promise<void> => {
    const items = checklist.map(([item]) => ({ item, grade: grades[item] }));
    if (!(await act.send(`/assets/${encodeURIComponent(asset)}/inspect`, { items, note }))) return;
    onDone();
    const number = act.told<{ inspection: number }>().inspection ?? 0;
    setHandedIn(number);
    await sendPhoto(number);
  };
  return (
    <details class="inspect">
      <summary>{t("upkeep.inspect")}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void handIn();
        }}
      >
        <p class="muted">{t("upkeep.inspect.do")}</p>
        {checklist.map(([item, words]) => (
          <div key={item} class="inspect-line" role="group" aria-label={say(words)}>
            <span>{say(words)}</span>
            <Grades
              chosen={grades[item]}
              onChoose={(grade) => {
                setGrades({ ...grades, [item]: grade });
              }}
            />
          </div>
        ))}
        <label>
          {t("upkeep.note")}
          <input value={note} maxLength={200} onInput={(event) => {
            setNote(event.currentTarget.value);
          }} />
        </label>
        <h3>{t("photo.title")}</h3>
        <PhotoPick photo={sending.photo} onChange={sending.choose} disabled={busy} />
        <button type="submit" class="primary" disabled={!whole || busy}>
          {t("upkeep.inspect.send")}
        </button>
        <ActLine act={act} />
        {handedIn > 0 && <PhotoState of={sending} onSend={() => void sendPhoto(handedIn)} />}
      </form>
    </details>
  );
}

function Grades({ chosen, onChoose }: { chosen: string | undefined; onChoose: (grade: string) => void }) {
  return (
    <span class="grades">
      {GRADES.map((grade) => (
        <button
          key={grade}
          type="button"
          aria-pressed={chosen === grade}
          onClick={() => {
            onChoose(grade);
          }}
        >
          {t(`grade.${grade}`)}
        </button>
      ))}
    </span>
  );
}

interface EarlierProps {
  asset: string;
  /** Changes when there is something new to ask for. */
  handedIn: number;
  /** Null: whoever looks may not erase a photo. */
  onErased: (() => void) | null;
}

function Earlier({ asset, handedIn, onErased }: EarlierProps) {
  const [items, setItems] = useState<InspectionList["items"]>([]);
  const asked = useMemo(() => new Newest(), []);
  useEffect(() => {
    const wanted = asked.ask();
    call<InspectionList>(`/gym/assets/${encodeURIComponent(asset)}/inspections?limit=5`)
      .then((answer) => {
        if (wanted()) setItems(answer.items);
      })
      .catch(() => {
        if (wanted()) setItems([]);
      });
  }, [asset, handedIn]);
  if (items.length === 0) return <p class="muted">{t("upkeep.inspections.none")}</p>;
  const at = `/assets/${encodeURIComponent(asset)}/inspections`;
  const alt = t("photo.alt.inspection");
  return (
    <ul class="rows" aria-label={t("upkeep.inspections")}>
      {items.map((one) => (
        <li key={one.inspection}>
          <strong>{one.day}</strong>
          <span>{word("grade", one.worst)}</span>
          <span>{one.by}</span>
          {one.photo && (
            <PhotoThumb key={one.photo.digest} path={`${at}/${one.inspection}/photo`} alt={alt} facts={one.photo} />
          )}
          {one.photo && onErased && <ErasePhoto path={`${at}/photo/erase`} onDone={onErased} />}
        </li>
      ))}
    </ul>
  );
}
