/** Shows its children once somebody is logged in; until then says what is missing and how to go on. */
import type { ComponentChildren } from "preact";

import { t } from "../lib/i18n";
import { me, session, trouble } from "../lib/session";
import { Fault } from "./Fault";

interface Props {
  /** Roles that may use this page; undefined = anyone logged in. */
  roles?: readonly string[];
  children: ComponentChildren;
}

export function Gate({ roles, children }: Props) {
  const state = session.value;
  if (state === "ready") {
    const may = roles === undefined || roles.includes(me.value?.role ?? "");
    return may ? <>{children}</> : <WrongRole />;
  }
  if (state === "starting") return <p class="gate-wait">{t("notice.connecting")}</p>;
  if (state === "no_answer") return <Fault title={t("code.no_answer")} todo={t("gate.no_answer.do")} />;
  if (state === "setup") {
    return (
      <Fault title={t("gate.setup")} todo={t("gate.setup.do")}>
        <a class="button" href="/setup">
          {t("setup.title")}
        </a>
      </Fault>
    );
  }
  return <NoLogin />;
}

function WrongRole() {
  return (
    <Fault title={t("gate.role")} todo={t("gate.role.do")}>
      <a class="button" href="/">
        {t("gate.home")}
      </a>
    </Fault>
  );
}

/** Nobody is logged in, or the one-time link was refused: then its own words say why. */
function NoLogin() {
  const refused = session.value === "bad_link" ? trouble.value : null;
  const next = encodeURIComponent(window.location.pathname);
  return (
    <Fault title={refused?.title ?? t("gate.login")} todo={refused?.todo ?? t("gate.login.do")}>
      <a class="button" href={`/login?next=${next}`}>
        {t("login.title")}
      </a>
    </Fault>
  );
}
