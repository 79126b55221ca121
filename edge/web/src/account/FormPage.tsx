/** The frame of the pages with one short form: labels above fields, one button, what went wrong right above it. */
import { Eye, EyeOff } from "lucide";
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

import { t } from "../lib/i18n";
import { session } from "../lib/session";
import { Icon } from "../parts/Icon";
import { NoticeStrip } from "../parts/NoticeStrip";
import { StateStrip, type Topic } from "../parts/StateStrip";

export type Trouble = { title: string; todo: string } | null;

interface PageProps {
  title: string;
  topic: Topic;
  onSubmit: () => Promise<void>;
  children: ComponentChildren;
}

export function FormPage({ title, topic, onSubmit, children }: PageProps) {
  const silent = session.value === "no_answer";
  return (
    <div class="page">
      <StateStrip page={title} help={topic} />
      <NoticeStrip
        notice={silent ? { level: "alarm", text: t("gate.no_answer.do") } : { level: "quiet", text: t("notice.local") }}
      />
      <main>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void onSubmit();
          }}
        >
          <h1>{title}</h1>
          {children}
        </form>
      </main>
    </div>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  autocomplete: "username" | "current-password" | "new-password" | "off";
  secret?: boolean;
  hint?: string;
}

export function Field({ label, value, onInput, autocomplete, secret = false, hint }: FieldProps) {
  const id = useId();
  const [seen, setSeen] = useState(false);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="field-row">
        <input
          id={id}
          value={value}
          autocomplete={autocomplete}
          autocapitalize="none"
          spellcheck={false}
          required
          {...(secret && !seen ? { type: "password" as const } : { type: "text" as const })}
          {...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` })}
          onInput={(event) => {
            onInput(event.currentTarget.value);
          }}
        />
        {secret && (
          <button
            type="button"
            aria-label={t(seen ? "login.hide" : "login.show")}
            aria-pressed={seen}
            onClick={() => {
              setSeen(!seen);
            }}
          >
            <Icon of={seen ? EyeOff : Eye} />
          </button>
        )}
      </div>
      {hint !== undefined && (
        <p class="form-note" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** What went wrong, in a place that is always there, so that nothing jumps. */
export function Sorry({ trouble }: { trouble: Trouble }) {
  return (
    <div class="sorry" role="alert">
      {trouble && (
        <p>
          <strong>{trouble.title}</strong> {trouble.todo}
        </p>
      )}
    </div>
  );
}
