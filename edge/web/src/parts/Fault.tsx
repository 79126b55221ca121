/** A page or part that cannot show what it is for: what is missing, and the remedy. */
import { CircleAlert } from "lucide";
import type { ComponentChildren } from "preact";

import { Icon } from "./Icon";

export function Fault({ title, todo, children }: { title: string; todo: string; children?: ComponentChildren }) {
  return (
    <div class="fault" role="alert">
      <Icon of={CircleAlert} />
      <h2>{title}</h2>
      <p>{todo}</p>
      {children}
    </div>
  );
}
