"""The simulated garage as text: what is true, zone by zone."""

from __future__ import annotations

from typing import Any


def render(state: dict[str, Any]) -> str:
    """All zones with ports, heads and outputs; times and units as in the simulator's ``state``."""
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
    return "\n".join(lines)


def _door(door: str, told: dict[str, Any]) -> str:
    return f"  door     {door}: {'locked' if told['locked'] else 'unlocked'}, {'OPEN' if told['open'] else 'shut'}"


def _port(port: str, told: dict[str, Any]) -> str:
    marks = [word for word in ("welded", "loose", "dark") if told[word]]
    bikes = ", ".join(told["bikes"]) or "empty"
    contact = "closed" if told["conducts"] else "open"
    return f"  {port:<8} {contact:<6} {told['flows_w']:>6.1f} W  {bikes}{'  ' if marks else ''}{' '.join(marks)}"
