/** /docs: Swagger UI from the installed npm package, so that it works without the internet. */
import { useEffect, useRef } from "preact/hooks";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

import "../styles/docs.css";
import { t } from "../lib/i18n";
import { mount } from "../parts/mount";
import { NoticeStrip } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";

function Page() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current) {
      // No validator badge: it would ask a server on the internet.
      SwaggerUI({ domNode: place.current, url: "/openapi.json", validatorUrl: null, tryItOutEnabled: false });
    }
  }, []);
  return (
    <div class="page page-docs">
      <StateStrip page={t("docs.title")} help="docs" />
      <NoticeStrip notice={{ level: "quiet", text: t("docs.note") }} />
      <main lang="en">
        <div ref={place} />
      </main>
    </div>
  );
}

mount(Page, "page.docs");
