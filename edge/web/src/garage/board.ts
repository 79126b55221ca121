/** What every garage page follows: the live views, and the sound that belongs to them. */
import { computed, effect, type ReadonlySignal } from "@preact/signals";

import { Live } from "../lib/live";
import { me } from "../lib/session";
import { alarmTone, type AlarmTone } from "../lib/sound";
import type { AlarmsView, AlarmView, GarageView, PortView, ZoneView } from "../types";
import { call } from "../lib/http";
import { newId } from "../lib/ids";
import { learnPorts, learnZones } from "./names";

const REPEAT_MS = 2500;
const WATCHERS = ["panel", "maintenance", "manager", "admin"];

export class Board {
  readonly live: Live;
  readonly garage: ReadonlySignal<GarageView | undefined>;
  readonly alarms: ReadonlySignal<AlarmsView | undefined>;
  readonly zones: ReadonlySignal<ZoneView[]>;

  constructor(keys: readonly string[]) {
    this.live = new Live(keys, "garage");
    this.garage = this.live.view("garage") as ReadonlySignal<GarageView | undefined>;
    this.alarms = this.live.view("alarms") as ReadonlySignal<AlarmsView | undefined>;
    this.zones = computed(() =>
      this.live.keysSeen.value
        .filter((key) => key.startsWith("zone/"))
        .map((key) => this.live.view(key).value as ZoneView | undefined)
        .filter((zone) => zone !== undefined),
    );
    effect(() => {
      learnZones(this.zones.value);
    });
  }

  zone(zone: string): ReadonlySignal<ZoneView | undefined> {
    return this.live.view(`zone/${zone}`) as ReadonlySignal<ZoneView | undefined>;
  }

  port(port: string): ReadonlySignal<PortView | undefined> {
    return this.live.view(`port/${port}`) as ReadonlySignal<PortView | undefined>;
  }

  /** Sounds while some alarm sounds, gravest tone first, and says that an alarm is shown, each time the box asks. */
  followAlarms(): () => void {
    const shown = new Set<string>();
    const tone = computed(() => toneOf(this.alarms.value));
    void learnPorts();
    const stopShown = effect(() => {
      for (const alarm of this.alarms.value?.alarms ?? []) {
        const asked = `${alarm.alarm_id}:${alarm.asked}`;
        if (alarm.asked === 0 || shown.has(asked) || document.hidden) continue;
        shown.add(asked);
        if (WATCHERS.includes(me.peek()?.role ?? "")) void tellShown(alarm);
      }
    });
    const timer = window.setInterval(() => {
      if (tone.value && this.live.state.peek() === "live") alarmTone(tone.value);
    }, REPEAT_MS);
    const stopTone = effect(() => {
      if (tone.value) alarmTone(tone.value);
    });
    return () => {
      window.clearInterval(timer);
      stopTone();
      stopShown();
    };
  }
}

/** The proof of delivery of the channel "page"; when it is lost the box asks again. */
async function tellShown(alarm: AlarmView): Promise<void> {
  const path = `/garage/alarms/${alarm.alarm_id}/shown`;
  try {
    await call(path, { method: "POST", body: {}, idempotencyKey: newId() });
  } catch {
    // The alarm is on this screen all the same; the box goes on telling others.
  }
}

export function toneOf(view: AlarmsView | undefined): AlarmTone | null {
  if (!view?.sounding) return null;
  const sounding = view.alarms.filter((alarm) => alarm.state === "unacknowledged" && !alarm.silenced);
  if (sounding.some((alarm) => alarm.priority === "fire" || alarm.cause === "pre_alarm")) return "fire";
  return sounding.some((alarm) => alarm.priority !== "low") ? "fault" : "information";
}
