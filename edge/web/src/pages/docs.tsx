/** /docs: Swagger UI from the installed npm package, so that it works without the internet. */
import { useEffect, useRef } from "preact/hooks";
import SwaggerUI, { type SwaggerPlugin } from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

import "../styles/docs.css";
import { t } from "../lib/i18n";
import { mount } from "../parts/mount";
import { NoticeStrip } from "../parts/NoticeStrip";
import { StateStrip } from "../parts/StateStrip";

/**
 * Swagger UI asks for the security schemes as soon as it has the document, and to resolve anything it works through all
 * of it: seconds in which the page is empty. Ours refer to nothing, so what it would show is what it has already. What
 * a reader opens is resolved as ever.
 */
const listAtOnce: SwaggerPlugin = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        requestResolvedSubtree: (resolve) => (path) => {
          if (path[0] !== "components" || path[1] !== "securitySchemes") resolve(path);
        },
      },
    },
  },
});

function Page() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current) {
      // No validator badge: it would ask a server on the internet.
      const plugins = [listAtOnce];
      SwaggerUI({ domNode: place.current, url: "/openapi.json", validatorUrl: null, tryItOutEnabled: false, plugins });
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
