/** Where to put the tray: a drawing instead of a sentence. */
export function TrayDrawing({ quiet }: { quiet: boolean }) {
  return (
    <div class="drawing" data-quiet={quiet} aria-hidden="true">
      <svg viewBox="0 0 520 300">
        <rect class="drawing-zone" x="40" y="120" width="440" height="160" rx="18" />
        <g class="drawing-tray">
          <rect x="110" y="60" width="300" height="150" rx="22" />
          <circle cx="185" cy="118" r="38" />
          <circle cx="185" cy="118" r="22" />
          <circle cx="290" cy="112" r="32" />
          <circle cx="290" cy="112" r="18" />
          <circle cx="355" cy="165" r="28" />
          <circle cx="355" cy="165" r="15" />
          <path d="M225 190h70" />
        </g>
        <path class="drawing-arrow" d="M260 8v36m-16-16 16 16 16-16" />
      </svg>
    </div>
  );
}
