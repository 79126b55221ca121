/** Staff look up and set a person's prescription; what is set replaces the former one as a whole. */
import { useMemo, useState } from "preact/hooks";

import { Act } from "../parts/act";
import { ActLine } from "../parts/ActLine";
import { Hold } from "../parts/Hold";
import { ApiError, call, wordsOf } from "../lib/http";
import { t, type Key } from "../lib/i18n";
import { Newest } from "../lib/newest";
import type { Prescription as Set } from "../types";

const NUMBERS: readonly (readonly ["birth_year" | "rest_bpm" | "ceiling_bpm" | "max_bpm", Key, number])[] = [
  ["birth_year", "coach.born", 2100],
  ["rest_bpm", "coach.rest", 130],
  ["ceiling_bpm", "coach.ceiling_of", 220],
  ["max_bpm", "coach.max_of", 230],
];
const EMPTY = { birth_year: 0, rest_bpm: 0, ceiling_bpm: 0, max_bpm: 0, beta_blocker: false, cards: "" };

export function Prescription() {
  const [person, setPerson] = useState("");
  const [form, setForm] = useState<typeof EMPTY | null>(null);
  const [said, setSaid] = useState("");
  const act = useMemo(() => new Act("gym"), []);
  const looking = useMemo(() => new Newest(), []);
  const load = async (): Promise<void> => {
    const wanted = looking.ask();
    try {
      const found = await call<Set>(`/gym/persons/${encodeURIComponent(person)}`);
      if (!wanted()) return;
      setForm({ ...found, cards: found.cards.join(" ") });
      setSaid(t("coach.set_by", { who: found.set_by, day: found.day }));
    } catch (error) {
      if (!wanted()) return;
      const missing = error instanceof ApiError && error.problem.status === 404;
      setForm(missing ? EMPTY : null);
      setSaid(missing ? t("coach.not_set") : wordsOf(error).title);
    }
  };
  const save = (filled: typeof EMPTY): void => {
    const { birth_year, rest_bpm, ceiling_bpm, max_bpm, beta_blocker } = filled;
    const cards = filled.cards.split(/\s+/).filter(Boolean);
    const body = { birth_year, rest_bpm, ceiling_bpm, max_bpm, beta_blocker, cards };
    void act.send(`/persons/${encodeURIComponent(person)}`, body);
  };
  return (
    <section class="panel prescription">
      <h2>{t("coach.set")}</h2>
      <p class="muted">{t("coach.set.do")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (person !== "") void load();
        }}
      >
        <label>
          {t("coach.person")}
          <input value={person} autocomplete="off" maxLength={64} onInput={(event) => {
            looking.ask(); // an answer about whoever was typed before is not wanted any more
            setPerson(event.currentTarget.value.trim());
            setForm(null);
            setSaid("");
          }} />
        </label>
        <button type="submit" disabled={person === ""}>{t("coach.load")}</button>
      </form>
      <p class="said" role="status">{said}</p>
      {form && <Form form={form} act={act} onChange={setForm} onSave={save} />}
      {form && <Referral key={person} person={person} />}
    </section>
  );
}

/** Taking back what the gate said today; it admits nobody, so the page needs not know whether there is a referral. */
function Referral({ person }: { person: string }) {
  const act = useMemo(() => new Act("gym"), []);
  return (
    <div>
      <Hold class="act" disabled={act.state.value.at === "sent"} onHeld={() => {
        void act.send(`/persons/${encodeURIComponent(person)}/lift-referral`);
      }}>
        <strong>{t("coach.lift")}</strong> {t("coach.lift.does")}
      </Hold>
      <ActLine act={act} />
    </div>
  );
}

interface FormProps {
  form: typeof EMPTY;
  act: Act;
  onChange: (form: typeof EMPTY) => void;
  onSave: (form: typeof EMPTY) => void;
}

function Form({ form, act, onChange, onSave }: FormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSave(form);
      }}
    >
      {NUMBERS.map(([name, key, max]) => (
        <label key={name}>
          {t(key)}
          <input type="number" inputMode="numeric" min={0} max={max} value={form[name]} onInput={(event) => {
            onChange({ ...form, [name]: Number(event.currentTarget.value) });
          }} />
        </label>
      ))}
      <label>
        {t("coach.cards")}
        <input value={form.cards} autocomplete="off" onInput={(event) => {
          onChange({ ...form, cards: event.currentTarget.value });
        }} />
      </label>
      <label class="check">
        <input type="checkbox" checked={form.beta_blocker} onInput={(event) => {
          onChange({ ...form, beta_blocker: event.currentTarget.checked });
        }} />
        {t("coach.beta")}
      </label>
      <button type="submit" class="primary" disabled={act.state.value.at === "sent"}>{t("coach.save")}</button>
      <ActLine act={act} />
    </form>
  );
}
