"""The simulated garage and gym as text: what is true, zone by zone."""

from __future__ import annotations

from typing import Any


def render(state: dict[str, Any]) -> str:
    """All zones with ports, heads and outputs, all machines; times and units as in the simulators' ``state``."""
    lines = _garage(state) if "zones" in state else []
    return "\n".join([*lines, *(_gym(state["gym"]) if state.get("gym") else [])])


def _garage(state: dict[str, Any]) -> list[str]:
    lines = []
    for name, zone in state["zones"].items():
        air = f"smoke {zone['smoke']:.2f}" + (", burning" if zone["burning"] else "")
        mains = "mains on" if zone["live"] else "mains OFF"
        lines.append(f"{name}: {mains}, {zone['flows_w']:.0f} W, {air}")
        lines += [_port(port, told) for port, told in zone["ports"].items()]
        heads = [f"{head}{' ALARM' if alarm else ''}" for head, alarm in zone["heads"].items()]
        outputs = [f"{output} {'on' if on else 'off'}" for output, on in zone["outputs"].items()]
        lines += [_door(door, told) for door, told in zone["doors"].items()]
        lines += [f"  heads    {', '.join(heads)}", f"  outputs  {', '.join(outputs)}"]
    wires = [f"{name}{' CUT' if wire['dead'] else ''}" for name, wire in state["wires"].items()]
    lines.append(f"wires: {', '.join(wires)}; radio network {'on' if state['gateway'] else 'OFF'}")
    return lines


def _gym(state: dict[str, Any]) -> list[str]:
    rooms: dict[str, list[str]] = {}
    for name, told in state["machines"].items():
        rooms.setdefault(told["zone"], []).append(_machine(name, told))
    lines = []
    for room, machines in rooms.items():
        gateway = {True: ", gateway on", False: ", gateway OFF"}.get(state["gateways"].get(room), "")
        lines += [f"{room}: {len(machines)} machines{gateway}", *machines]
    wires = [f"{name}{' CUT' if wire['dead'] else ''}" for name, wire in state["wires"].items()]
    lines.append(f"wires: {', '.join(wires)}; buzzers {', '.join(state['buzzing']) or 'silent'}")
    lines.append(f"persons: {', '.join(state['persons'])}")
    return lines


def _machine(name: str, told: dict[str, Any]) -> str:
    pulse = "" if told["bpm"] is None else f"{told['bpm']} bpm"
    speed = f"{told['speed_km_h']:.1f} km/h" if "speed_km_h" in told else ""
    use = "in use" if told["in_use"] else told.get("state", "idle")
    return (
        f"  {name:<8} {told['who'] or 'free':<10} {use:<9} {speed:>10} {pulse:>8}  {' '.join(told['wrong'])}".rstrip()
    )


def _door(door: str, told: dict[str, Any]) -> str:
    return f"  door     {door}: {'locked' if told['locked'] else 'unlocked'}, {'OPEN' if told['open'] else 'shut'}"


def _port(port: str, told: dict[str, Any]) -> str:
    marks = [word for word in ("welded", "loose", "dark") if told[word]]
    bikes = ", ".join(told["bikes"]) or "empty"
    contact = "closed" if told["conducts"] else "open"
    return f"  {port:<8} {contact:<6} {told['flows_w']:>6.1f} W  {bikes}{'  ' if marks else ''}{' '.join(marks)}"
