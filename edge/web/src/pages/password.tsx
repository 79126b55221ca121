/** /password: a person's own new password, against the present one; every other session of theirs ends. */
import { useState } from "preact/hooks";

import "../styles/forms.css";
import { Field, FormPage, Sorry, type Trouble } from "../account/FormPage";
import { call, wordsOf } from "../lib/http";
import { t } from "../lib/i18n";
import { me, session } from "../lib/session";
import { mount } from "../parts/mount";

const MIN_LENGTH = 10;

function Page() {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [state, setState] = useState<"open" | "sent" | "done">("open");
  const [trouble, setTrouble] = useState<Trouble>(null);
  const submit = async (): Promise<void> => {
    setState("sent");
    setTrouble(null);
    try {
      await call("/auth/password", { method: "POST", body: { password: old, new_password: fresh } });
      setOld("");
      setFresh("");
      setState("done");
    } catch (error) {
      setTrouble(wordsOf(error));
      setState("open");
    }
  };
  return (
    <FormPage title={t("password.title")} topic="password" onSubmit={submit}>
      {session.value === "login" && (
        <p class="form-note">
          {t("gate.login")} <a href="/login?next=/password">{t("login.title")}</a>
        </p>
      )}
      {me.value !== null && <p class="form-note">{t("password.who", { user: me.value.user })}</p>}
      <Field label={t("password.old")} value={old} onInput={setOld} autocomplete="current-password" secret />
      <Field
        label={t("password.new")}
        value={fresh}
        onInput={setFresh}
        autocomplete="new-password"
        secret
        hint={t("setup.password.hint", { n: MIN_LENGTH })}
      />
      <Sorry trouble={trouble} />
      <button
        type="submit"
        class="primary"
        disabled={state === "sent" || me.value === null || old === "" || fresh.length < MIN_LENGTH}
      >
        {t(state === "sent" ? "act.sent" : "password.go")}
      </button>
      <p class="form-note" role="status">
        {state === "done" && (
          <>
            <strong>{t("password.done")}</strong> <a href="/">{t("home.title")}</a>
          </>
        )}
      </p>
    </FormPage>
  );
}

mount(Page, "page.password");
