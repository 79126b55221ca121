/**
 * What the box calls its zones, outlets, sensors, outputs and doors. Codes of causes carry ids; a person knows names.
 * Learned from what the stream shows anyway, and once from the lists for what a page does not stream.
 */
import { signal } from "@preact/signals";

import { call } from "../lib/http";
import { say } from "../lib/i18n";
import type { PortList, Text, ZoneView } from "../types";

const names = signal<ReadonlyMap<string, Text>>(new Map());

/** The name of `id`; where two things share an id, that of the zone's own part. An id that nobody named stays an id. */
export function nameOf(id: string, zone?: ZoneView): string {
  const own = zone ? partsOf(zone).find(([part]) => part === id) : undefined;
  const name = own?.[1] ?? names.value.get(id);
  return name ? say(name) : id;
}

export function learnZones(zones: readonly ZoneView[]): void {
  learn(zones.flatMap((zone) => [...partsOf(zone), [zone.zone, zone.name] as const]));
}

/** Reads the names of all outlets once; without an answer their ids are shown. */
export async function learnPorts(): Promise<void> {
  try {
    const { ports } = await call<PortList>("/garage/ports");
    learn(ports.map((port) => [port.port, port.name] as const));
  } catch {
    // The pages say by other means that the box does not answer.
  }
}

function partsOf(zone: ZoneView): (readonly [string, Text])[] {
  return [
    ...zone.sources.map((source) => [source.source, source.name] as const),
    ...zone.outputs.map((output) => [output.output, output.name] as const),
    ...zone.doors.map((door) => [door.door, door.name] as const),
  ];
}

function learn(found: readonly (readonly [string, Text])[]): void {
  const known = names.peek();
  if (found.every(([id, name]) => same(known.get(id), name))) return;
  names.value = new Map([...known, ...found]);
}

function same(one: Text | undefined, other: Text): boolean {
  return one?.zh === other.zh && one.en === other.en;
}
