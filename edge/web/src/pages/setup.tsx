/** /setup: the first administrator, by the one-time token that the box printed when it started. */
import { useState } from "preact/hooks";

import "../styles/forms.css";
import { Field, FormPage, Sorry, type Trouble } from "../account/FormPage";
import { call, wordsOf } from "../lib/http";
import { t } from "../lib/i18n";
import { info } from "../lib/session";
import { mount } from "../parts/mount";

const MIN_LENGTH = 10;

/** A link may carry the token behind "#token=", so that nobody types 32 characters on a phone. */
function tokenOfAddress(): string {
  const token = /^#token=([\w.~-]+)$/.exec(window.location.hash)?.[1] ?? "";
  if (token) window.history.replaceState(null, "", window.location.pathname);
  return token;
}

function Page() {
  const [token, setToken] = useState(tokenOfAddress);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [sent, setSent] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>(null);
  const submit = async (): Promise<void> => {
    setSent(true);
    setTrouble(null);
    const body = { token: token.trim(), username: username.trim().toLowerCase(), password };
    try {
      await call("/auth/setup", { method: "POST", body });
      window.location.assign("/");
    } catch (error) {
      setTrouble(wordsOf(error));
      setSent(false);
    }
  };
  const done = info.value?.needs_setup === false;
  return (
    <FormPage title={t("setup.title")} topic="setup" onSubmit={submit}>
      {done && (
        <p class="form-note">
          {t("setup.done")} <a href="/login">{t("login.title")}</a>
        </p>
      )}
      <Field
        label={t("setup.token")}
        value={token}
        onInput={setToken}
        autocomplete="off"
        hint={t("setup.token.hint")}
      />
      <Field label={t("setup.user")} value={username} onInput={setUsername} autocomplete="username" />
      <Field
        label={t("setup.password")}
        value={password}
        onInput={setPassword}
        autocomplete="new-password"
        secret
        hint={t("setup.password.hint", { n: MIN_LENGTH })}
      />
      <Sorry trouble={trouble} />
      <button
        type="submit"
        class="primary"
        disabled={sent || done || token.trim() === "" || username.trim() === "" || password.length < MIN_LENGTH}
      >
        {t(sent ? "act.sent" : "setup.go")}
      </button>
    </FormPage>
  );
}

mount(Page, "page.setup");
