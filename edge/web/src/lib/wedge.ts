/**
 * A card reader that types like a keyboard: characters quicker than fingers, then Enter. Keys typed slowly, or into a
 * field, are a person's and stay untouched.
 */

/** Readers type a character every few milliseconds; the fastest typists need 60. */
const MAX_GAP_MS = 50;
const MIN_LENGTH = 4;
const MAX_LENGTH = 64;

/** Calls `onCard` with each card number read. Returns how to stop. */
export function listenForCards(onCard: (card: string) => void): () => void {
  let typed = "";
  let lastMs = 0;
  const onKey = (event: KeyboardEvent): void => {
    if (isField(event.target)) return;
    if (event.timeStamp - lastMs > MAX_GAP_MS) typed = "";
    lastMs = event.timeStamp;
    if (event.key === "Enter") {
      if (typed.length >= MIN_LENGTH) {
        event.preventDefault();
        event.stopPropagation();
        onCard(typed);
      }
      typed = "";
    } else if (/^[0-9A-Za-z]$/.test(event.key) && typed.length < MAX_LENGTH) {
      typed += event.key;
    }
  };
  // Captured first: Enter must not press the button that happens to have the focus.
  window.addEventListener("keydown", onKey, { capture: true });
  return () => {
    window.removeEventListener("keydown", onKey, { capture: true });
  };
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
