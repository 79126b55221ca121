/** One of the lane's large buttons. */
import type { IconNode } from "lucide";
import type { ComponentChildren } from "preact";

import { Icon } from "../parts/Icon";

interface ActProps {
  icon?: IconNode;
  primary?: boolean;
  disabled?: boolean;
  /** False: it has just come and takes no press yet, without looking otherwise. */
  settled?: boolean;
  onPress: () => void;
  children: ComponentChildren;
}

export function Act({ icon, primary = false, disabled = false, settled = true, onPress, children }: ActProps) {
  return (
    <button
      type="button"
      class={primary ? "primary" : "secondary"}
      disabled={disabled}
      aria-disabled={!settled}
      onClick={() => {
        if (settled) onPress();
      }}
    >
      {icon && <Icon of={icon} />}
      <span>{children}</span>
    </button>
  );
}
