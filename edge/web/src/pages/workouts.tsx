/** /gym/workouts: the own workouts (staff: anybody's, family: by consent); one of them with its curve and files. */
import { ChevronLeft, Download } from "lucide";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import "../styles/gym.css";
import { GymBoard } from "../gym/board";
import { curveOf, type Curve } from "../gym/curve";
import { CARE_ROLES, GymFrame, Guarded, OWN_ROLES } from "../gym/frame";
import { MyWeek } from "../gym/MyWeek";
import { Totals } from "../gym/Totals";
import { duration, metres, word } from "../gym/words";
import { WorkoutPlot } from "../gym/WorkoutPlot";
import { dayTimeOfNs } from "../lib/format";
import { call, wordsOf } from "../lib/http";
import { t } from "../lib/i18n";
import { me } from "../lib/session";
import { Fault } from "../parts/Fault";
import { Icon } from "../parts/Icon";
import { mount } from "../parts/mount";
import type { Workout, WorkoutList } from "../types";

const FORMS = ["fit", "tcx", "csv"] as const;
const LIMIT = 25;

function Page() {
  return (
    <Guarded topic="workouts" title={t("workouts.title")} roles={OWN_ROLES}>
      <Workouts />
    </Guarded>
  );
}

function Workouts() {
  const board = useMemo(() => new GymBoard(["gym", "asset/"]), []);
  const role = me.value?.role ?? "";
  const [person, setPerson] = useState("");
  const [one, setOne] = useState<Workout | null>(null);
  const caring = CARE_ROLES.includes(role);
  return (
    <GymFrame board={board} topic="workouts" title={t(caring ? "workouts.all" : "workouts.title")}>
      <div class="workouts">
        {one ? (
          <Detail
            one={one}
            board={board}
            onBack={() => {
              setOne(null);
            }}
          />
        ) : (
          <>
            {(caring || role === "family") && <Whose onPerson={setPerson} family={role === "family"} />}
            <Of key={person} person={person} board={board} onChoose={setOne} />
          </>
        )}
      </div>
    </GymFrame>
  );
}

/** The week and the workouts of one person ("": the own; for those who care for all, everybody's workouts). */
function Of({ person, board, onChoose }: ListProps) {
  const role = me.value?.role ?? "";
  const today = board.gym.value?.business_day;
  const one = person !== "" || role === "member" || role === "resident";
  return (
    <>
      {one && today !== undefined && <MyWeek person={person} today={today} />}
      {(one || CARE_ROLES.includes(role)) && <List person={person} board={board} onChoose={onChoose} />}
    </>
  );
}

function Whose({ onPerson, family }: { onPerson: (person: string) => void; family: boolean }) {
  const [typed, setTyped] = useState("");
  return (
    <form
      class="whose"
      onSubmit={(event) => {
        event.preventDefault();
        onPerson(typed.trim());
      }}
    >
      <label>
        {t("workouts.whose")}
        <input value={typed} autocomplete="off" maxLength={64} onInput={(event) => {
          setTyped(event.currentTarget.value);
        }} />
      </label>
      <button type="submit">{t("workouts.show")}</button>
      {family && <p class="muted">{t("workouts.family")}</p>}
    </form>
  );
}

interface ListProps {
  person: string;
  board: GymBoard;
  onChoose: (one: Workout) => void;
}

/** The workouts of one person (or of all), read in pages. */
function useWorkouts(person: string) {
  const [items, setItems] = useState<Workout[]>([]);
  const [next, setNext] = useState<string | null>("");
  const [trouble, setTrouble] = useState<{ title: string; todo: string } | null>(null);
  const asking = useRef(false);
  const more = (cursor: string): void => {
    if (asking.current) return; // a second press would add the same lines again
    asking.current = true;
    const whose = person === "" ? "" : `&person=${encodeURIComponent(person)}`;
    const at = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    call<WorkoutList>(`/gym/workouts?limit=${LIMIT}${whose}${at}`)
      .then((answer) => {
        setItems((before) => (cursor === "" ? answer.items : [...before, ...answer.items]));
        setNext(answer.next_cursor);
      })
      .catch((error: unknown) => {
        setTrouble(wordsOf(error));
      })
      .finally(() => {
        asking.current = false;
      });
  };
  useEffect(() => {
    more("");
  }, []);
  return { items, next, trouble, more };
}

function List({ person, board, onChoose }: ListProps) {
  const { items, next, trouble, more } = useWorkouts(person);
  if (trouble) return <Fault title={trouble.title} todo={trouble.todo} />;
  const shown = items.filter((one) => one.state !== "dropped");
  if (next === null && shown.length === 0) return <p class="empty">{t("workouts.none")}</p>;
  return (
    <>
      <ul class="workout-rows">
        {shown.map((one) => (
          <li key={one.workout_id}>
            <button
              type="button"
              onClick={() => {
                onChoose(one);
              }}
            >
              <strong>{board.nameOf(one.asset)}</strong>
              <time>{dayTimeOfNs(one.began_ns)}</time>
              <span>{duration(one.active_s)}</span>
              {one.distance_m > 0 && <span>{metres(one.distance_m)}</span>}
              {one.ended_ns === 0 && <em>{t("workouts.under_way")}</em>}
              {CARE_ROLES.includes(me.value?.role ?? "") && (
                <small>{one.person === "" ? t("coach.anonymous") : one.person}</small>
              )}
            </button>
          </li>
        ))}
      </ul>
      {next !== null && next !== "" && (
        <button
          type="button"
          onClick={() => {
            more(next);
          }}
        >
          {t("workouts.more")}
        </button>
      )}
    </>
  );
}

function Detail({ one, board, onBack }: { one: Workout; board: GymBoard; onBack: () => void }) {
  const { curve, samples } = useCurve(one.workout_id);
  const path = `/api/v1/gym/workouts/${encodeURIComponent(one.workout_id)}/export`;
  return (
    <article class="workout">
      <button type="button" onClick={onBack}>
        <Icon of={ChevronLeft} />
        {t("workouts.back")}
      </button>
      <h1>
        {board.nameOf(one.asset)} · {dayTimeOfNs(one.began_ns)}
      </h1>
      <Totals of={{ ...one, mean_power_w: one.mean_power_w ?? null, mean_bpm: one.mean_bpm ?? null }} />
      <p class="muted">
        {one.ended_ns === 0 ? t("workouts.under_way") : word("ended", one.reason)}
        {one.stop_reason !== "" && ` · ${t("workouts.stopped", { why: word("stop", one.stop_reason) })}`}
      </p>
      {curve && curve.times.length > 2 && <WorkoutPlot curve={curve} />}
      {samples === "none" && <p class="muted">{t("workouts.no_samples")}</p>}
      {samples === "away" && (
        <p class="unsigned">{t(curve?.pulse.some((bpm) => bpm !== null) ? "workouts.away.pulse" : "workouts.away")}</p>
      )}
      <p class="files">
        {FORMS.map((form) => (
          <a key={form} class="button" href={`${path}.${form}`} download>
            <Icon of={Download} />
            {t("workouts.file", { form: form.toUpperCase() })}
          </a>
        ))}
      </p>
    </article>
  );
}

/** The curve out of the CSV file; members may read no other source of samples. */
function useCurve(id: string): { curve: Curve | null; samples: string } {
  const [found, setFound] = useState<{ curve: Curve | null; samples: string }>({ curve: null, samples: "" });
  useEffect(() => {
    const read = async (): Promise<void> => {
      const answer = await fetch(`/api/v1/gym/workouts/${encodeURIComponent(id)}/export.csv`, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      setFound({ curve: curveOf(await answer.text()), samples: answer.headers.get("X-Kangle-Samples") ?? "none" });
    };
    read().catch(() => {
      setFound({ curve: null, samples: "away" });
    });
  }, [id]);
  return found;
}

mount(Page, "page.workouts");
