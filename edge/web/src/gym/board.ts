/** What every gym page follows: the live views of machines, rooms, queue, trails, kiosks, orders and alarms. */
import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";

import { call } from "../lib/http";
import { say } from "../lib/i18n";
import { newId } from "../lib/ids";
import { Live } from "../lib/live";
import type { AlarmsView, AssetView, GymView, KioskView, MaintenanceView, Text, TrailView } from "../types";

const GATHER_MAX_MS = 500;

export class GymBoard {
  readonly live: Live;
  readonly gym: ReadonlySignal<GymView | undefined>;
  readonly alarms: ReadonlySignal<AlarmsView | undefined>;
  readonly maintenance: ReadonlySignal<MaintenanceView | undefined>;
  readonly assets: ReadonlySignal<readonly AssetView[]>;
  readonly trails: ReadonlySignal<readonly TrailView[]>;
  readonly kiosks: ReadonlySignal<readonly KioskView[]>;
  private readonly byName: ReadonlySignal<ReadonlyMap<string, AssetView>>;

  constructor(keys: readonly string[]) {
    this.live = new Live(keys, "gym");
    this.gym = this.live.view("gym") as ReadonlySignal<GymView | undefined>;
    this.alarms = this.live.view("gym-alarms") as ReadonlySignal<AlarmsView | undefined>;
    this.maintenance = this.live.view("maintenance") as ReadonlySignal<MaintenanceView | undefined>;
    this.assets = this.all<AssetView>("asset/");
    this.byName = computed(() => new Map(this.assets.value.map((one) => [one.asset, one])));
    this.trails = this.all<TrailView>("trail/");
    this.kiosks = this.all<KioskView>("kiosk/");
  }

  asset(name: string): ReadonlySignal<AssetView | undefined> {
    return this.live.view(`asset/${name}`) as ReadonlySignal<AssetView | undefined>;
  }

  /** The name of a machine, its code while it is not known. */
  nameOf(asset: string): string {
    const known: Text | undefined = this.byName.value.get(asset)?.name;
    return known ? say(known) : asset;
  }

  /** Where a machine stands, "" while it is not known. */
  zoneOf(asset: string): string {
    return this.byName.value.get(asset)?.zone ?? "";
  }

  /** The name of a room or compound, its code while it is not known. */
  placeOf(zone: string): string {
    const known: Text | undefined = this.gym.value?.zones.find((one) => one.zone === zone)?.name;
    return known ? say(known) : zone;
  }

  get stale(): boolean {
    return this.live.state.value !== "live";
  }

  /**
   * All views under `prefix`. 200 machines speak each second: a page of a park that was drawn anew for each word would
   * do nothing else, so what came is gathered, a millisecond for each machine but half a second at most.
   */
  private all<T>(prefix: string): ReadonlySignal<readonly T[]> {
    const shown = signal<readonly T[]>([]);
    let latest: readonly T[] = [];
    let gathering = false;
    effect(() => {
      latest = this.live.keysSeen.value
        .filter((key) => key.startsWith(prefix))
        .map((key) => this.live.view(key).value as T | undefined)
        .filter((view) => view !== undefined);
      if (gathering || (latest.length === 0 && shown.peek().length === 0)) return;
      gathering = true;
      window.setTimeout(() => {
        gathering = false;
        shown.value = latest;
      }, Math.min(GATHER_MAX_MS, latest.length));
    });
    return shown;
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
