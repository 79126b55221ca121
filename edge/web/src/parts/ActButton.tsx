/** A button with its consequence below the word. */
interface Props {
  text: string;
  does: string;
  busy: boolean;
  primary?: boolean;
  onPress: () => void;
}

export function Button({ text, does, busy, primary = false, onPress }: Props) {
  return (
    <button type="button" class={`act ${primary ? "primary" : ""}`} disabled={busy} onClick={onPress}>
      <span>{text}</span>
      <small>{does}</small>
    </button>
  );
}
