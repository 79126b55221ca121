/** What every gym page follows: the live views of machines, rooms, queue, trails, kiosks, orders and alarms. */
import { computed, type ReadonlySignal } from "@preact/signals";

import { call } from "../lib/http";
import { say } from "../lib/i18n";
import { newId } from "../lib/ids";
import { Live } from "../lib/live";
import type { AlarmsView, AssetView, GymView, KioskView, MaintenanceView, Text, TrailView } from "../types";

export class GymBoard {
  readonly live: Live;
  readonly gym: ReadonlySignal<GymView | undefined>;
  readonly alarms: ReadonlySignal<AlarmsView | undefined>;
  readonly maintenance: ReadonlySignal<MaintenanceView | undefined>;
  readonly assets: ReadonlySignal<readonly AssetView[]>;
  readonly trails: ReadonlySignal<readonly TrailView[]>;
  readonly kiosks: ReadonlySignal<readonly KioskView[]>;

  constructor(keys: readonly string[]) {
    this.live = new Live(keys, "gym");
    this.gym = this.live.view("gym") as ReadonlySignal<GymView | undefined>;
    this.alarms = this.live.view("gym-alarms") as ReadonlySignal<AlarmsView | undefined>;
    this.maintenance = this.live.view("maintenance") as ReadonlySignal<MaintenanceView | undefined>;
    this.assets = this.all<AssetView>("asset/");
    this.trails = this.all<TrailView>("trail/");
    this.kiosks = this.all<KioskView>("kiosk/");
  }

  asset(name: string): ReadonlySignal<AssetView | undefined> {
    return this.live.view(`asset/${name}`) as ReadonlySignal<AssetView | undefined>;
  }

  /** The name of a machine, its code while it is not known. */
  nameOf(asset: string): string {
    const known: Text | undefined = this.assets.value.find((one) => one.asset === asset)?.name;
    return known ? say(known) : asset;
  }

  get stale(): boolean {
    return this.live.state.value !== "live";
  }

  private all<T>(prefix: string): ReadonlySignal<readonly T[]> {
    return computed(() =>
      this.live.keysSeen.value
        .filter((key) => key.startsWith(prefix))
        .map((key) => this.live.view(key).value as T | undefined)
        .filter((view) => view !== undefined),
    );
  }
}

/** Says that an alarm is on this screen, each time the box asks: the proof of delivery of the channel "page". */
export function tellShown(view: AlarmsView | undefined, told: Set<string>): void {
  for (const alarm of view?.alarms ?? []) {
    const asked = `${alarm.alarm_id}:${alarm.asked}`;
    if (alarm.asked === 0 || told.has(asked) || document.hidden) continue;
    told.add(asked);
    // When it is lost the box asks again.
    const path = `/gym/alarms/${alarm.alarm_id}/shown`;
    call(path, { method: "POST", body: {}, idempotencyKey: newId() }).catch(() => null);
  }
}
