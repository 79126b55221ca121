/** /login: user name and password; then on to where the person wanted to go. */
import { useState } from "preact/hooks";

import "../styles/forms.css";
import { call, wordsOf } from "../lib/http";
import { t } from "../lib/i18n";
import { info, nextPath } from "../lib/session";
import { Field, FormPage, Sorry, type Trouble } from "../account/FormPage";
import { mount } from "../parts/mount";

function Page() {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [sent, setSent] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>(null);
  const submit = async (): Promise<void> => {
    setSent(true);
    setTrouble(null);
    try {
      await call("/auth/login", { method: "POST", body: { username: username.trim(), password } });
      window.location.assign(nextPath());
    } catch (error) {
      setTrouble(wordsOf(error));
      setSent(false);
    }
  };
  return (
    <FormPage title={t("login.title")} topic="login" onSubmit={submit}>
      {info.value?.needs_setup === true && (
        <p class="form-note">
          {t("login.needs_setup")} <a href="/setup">{t("setup.title")}</a>
        </p>
      )}
      <Field label={t("login.user")} value={username} onInput={setUsername} autocomplete="username" />
      <Field
        label={t("login.password")}
        value={password}
        onInput={setPassword}
        autocomplete="current-password"
        secret
      />
      <Sorry trouble={trouble} />
      <button type="submit" class="primary" disabled={sent || username.trim() === "" || password === ""}>
        {t(sent ? "act.sent" : "login.go")}
      </button>
      <p class="form-note">{t("login.lost")}</p>
    </FormPage>
  );
}

mount(Page, "page.login");
