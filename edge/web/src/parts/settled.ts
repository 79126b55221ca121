/**
 * A press that was meant for the button before. Old hands tap twice, and the screen changes by itself under a finger on
 * its way: the second tap on "these are all plates" would fall on "pay", the second on "I train here" on "I am done".
 * So a button with consequences that takes another one's place takes no press until it has stood there for a moment.
 */
import { useEffect, useState } from "preact/hooks";

/** Longer than the pause within a double tap of an unsteady hand, shorter than anybody needs to read a button. */
export const SETTLE_MS = 600;

/** Whether what `of` names has been on the screen for a moment. */
export function useSettled(of: string): boolean {
  const [settled, setSettled] = useState<string | null>(null);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      setSettled(of);
    }, SETTLE_MS);
    return () => {
      window.clearTimeout(timer);
    };
  }, [of]);
  return settled === of;
}
