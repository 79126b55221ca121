/**
 * Two generated tones: a rising chime for "paid", a low double tone for "this tray cannot be paid". Silent until
 * touched.
 */

import { signal } from "@preact/signals";

const PEAK = 0.25;
const ATTACK_S = 0.01;

interface Note {
  hz: number;
  startS: number;
  lengthS: number;
}

const CHIME: readonly Note[] = [
  { hz: 659.25, startS: 0, lengthS: 0.35 },
  { hz: 987.77, startS: 0.14, lengthS: 0.6 },
];
const WRONG: readonly Note[] = [
  { hz: 196, startS: 0, lengthS: 0.18 },
  { hz: 164.81, startS: 0.24, lengthS: 0.3 },
];

/** Fire: a two-tone siren. Fault: three low beeps. Information: one soft tone. */
const ALARMS = {
  fire: [0, 0.35, 0.7, 1.05].map((startS, i) => ({ hz: i % 2 ? 660 : 880, startS, lengthS: 0.33 })),
  fault: [0, 0.25, 0.5].map((startS) => ({ hz: 330, startS, lengthS: 0.15 })),
  information: [{ hz: 523.25, startS: 0, lengthS: 0.4 }],
} as const;

export type AlarmTone = keyof typeof ALARMS;

/** Whether a tone would be heard now: browsers wait for a touch. */
export const soundReady = signal(false);

let context: AudioContext | null = null;
let muted = false;

export function muteSound(off: boolean): void {
  muted = off;
}

/** Browsers allow sound after a touch only: call once; the first touch or key makes the sound ready. */
export function unlockSoundOnTouch(): void {
  const unlock = (): void => {
    context ??= new AudioContext();
    void context.resume().then(() => {
      soundReady.value = context?.state === "running";
    });
  };
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, unlock, { once: true, passive: true });
}

export function chime(): void {
  play(CHIME, "sine");
}

export function wrongTray(): void {
  play(WRONG, "triangle");
}

export function alarmTone(kind: AlarmTone): void {
  play(ALARMS[kind], kind === "fire" ? "square" : "triangle");
}

function play(notes: readonly Note[], shape: OscillatorType): void {
  if (muted || context?.state !== "running") return;
  const now = context.currentTime;
  for (const note of notes) {
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, now + note.startS);
    gain.gain.linearRampToValueAtTime(PEAK, now + note.startS + ATTACK_S);
    gain.gain.exponentialRampToValueAtTime(0.001, now + note.startS + note.lengthS);
    gain.connect(context.destination);
    const tone = context.createOscillator();
    tone.type = shape;
    tone.frequency.value = note.hz;
    tone.connect(gain);
    tone.start(now + note.startS);
    tone.stop(now + note.startS + note.lengthS);
  }
}
