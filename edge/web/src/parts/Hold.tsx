/**
 * A button that acts only when held for a second, by finger, mouse or keyboard; the consequence stands beside it. The
 * ring fills while held. Letting go early does nothing.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { t } from "../lib/i18n";

export const HOLD_MS = 1000;

interface Props {
  onHeld: () => void;
  disabled?: boolean;
  class?: string;
  children: ComponentChildren;
}

export function Hold({ onHeld, disabled = false, class: name = "", children }: Props) {
  const timer = useRef(0);
  const [held, setHeld] = useState(false);
  const release = (): void => {
    window.clearTimeout(timer.current);
    timer.current = 0;
    setHeld(false);
  };
  const press = (): void => {
    if (timer.current !== 0 || disabled) return;
    setHeld(true);
    timer.current = window.setTimeout(() => {
      release();
      onHeld();
    }, HOLD_MS);
  };
  useEffect(() => release, []);
  const isPress = (key: string): boolean => key === " " || key === "Enter";
  return (
    <button
      type="button"
      class={`hold ${name}`}
      data-held={held}
      disabled={disabled}
      onPointerDown={press}
      onPointerUp={release}
      onPointerLeave={release}
      onPointerCancel={release}
      onBlur={release}
      onContextMenu={(event) => {
        event.preventDefault();
      }}
      onKeyDown={(event) => {
        if (isPress(event.key)) {
          event.preventDefault();
          press();
        }
      }}
      onKeyUp={(event) => {
        if (isPress(event.key)) release();
      }}
    >
      <span>{children}</span>
      <small>{t("hold.hint")}</small>
    </button>
  );
}
