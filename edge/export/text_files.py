"""A workout as CSV (units in the header) and as TCX (Garmin's Training Center XML, written directly)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from edge.export.track import NS_PER_S, Point, Track

TCX = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
EXTENSION = "http://www.garmin.com/xmlschemas/ActivityExtension/v2"
HEADER = (
    "time_utc", "elapsed_s", "distance_m", "speed_km_h", "cadence_rpm", "power_w", "heart_rate_bpm", "incline_pct",
    "state",
)  # fmt: skip
#: TCX knows three sports.
_SPORTS = {"treadmill": "Running", "bike": "Biking"}


def iso(at_ns: int) -> str:
    """UTC with milliseconds."""
    return datetime.fromtimestamp(at_ns / NS_PER_S, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_csv(track: Track) -> bytes:
    """One line a second; pauses and losses are lines of their own (``state``), never mere gaps."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    lines = [(point.at_ns, 1, _line(track, point)) for point in track.points]
    for span in track.spans:
        marks = ((span.begin_ns, 2, f"{span.kind}_begins"), (span.end_ns, 0, f"{span.kind}_ends"))
        for at_ns, order, word in marks:
            elapsed_s = (at_ns - track.row.began_ns) / NS_PER_S
            lines.append((at_ns, order, [iso(at_ns), f"{elapsed_s:.3f}", "", "", "", "", "", "", word]))
    writer.writerows(line for _, _, line in sorted(lines, key=lambda one: one[:2]))
    return out.getvalue().encode()


def _line(track: Track, point: Point) -> list[str]:
    speed_km_h = None if point.speed_m_s is None else point.speed_m_s * 3.6
    values = (point.distance_m, speed_km_h, point.cadence_rpm, point.power_w, point.heart_rate_bpm, point.incline_pct)
    elapsed_s = (point.at_ns - track.row.began_ns) / NS_PER_S
    return [
        iso(point.at_ns),
        f"{elapsed_s:.3f}",
        *("" if value is None else f"{value:g}" for value in values),
        "active",
    ]


def to_tcx(track: Track) -> bytes:
    """One activity with one lap; each stretch between pauses is a track of its own, as the format asks."""
    row = track.row
    ET.register_namespace("", TCX)
    ET.register_namespace("x", EXTENSION)
    root = ET.Element(f"{{{TCX}}}TrainingCenterDatabase")
    activity = ET.SubElement(_sub(root, "Activities"), f"{{{TCX}}}Activity", Sport=_SPORTS.get(row.kind, "Other"))
    _sub(activity, "Id", iso(row.began_ns))
    lap = ET.SubElement(activity, f"{{{TCX}}}Lap", StartTime=iso(row.began_ns))
    _sub(lap, "TotalTimeSeconds", f"{row.active_ms / 1000:.3f}")
    _sub(lap, "DistanceMeters", f"{row.distance_m:.1f}")
    _sub(lap, "Calories", str(min(65535, round(row.energy_kcal))))
    if row.mean_bpm:
        _sub(_sub(lap, "AverageHeartRateBpm"), "Value", str(round(row.mean_bpm)))
    if row.peak_bpm:
        _sub(_sub(lap, "MaximumHeartRateBpm"), "Value", str(row.peak_bpm))
    _sub(lap, "Intensity", "Active")
    _sub(lap, "TriggerMethod", "Manual")
    for stretch in _stretches(track):
        part = _sub(lap, "Track")
        for point in stretch:
            _trackpoint(part, point)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _trackpoint(parent: ET.Element, point: Point) -> None:
    node = _sub(parent, "Trackpoint")
    _sub(node, "Time", iso(point.at_ns))
    if point.distance_m is not None:
        _sub(node, "DistanceMeters", f"{point.distance_m:.1f}")
    if point.heart_rate_bpm is not None:
        _sub(_sub(node, "HeartRateBpm"), "Value", str(min(255, point.heart_rate_bpm)))
    if point.cadence_rpm is not None:
        _sub(node, "Cadence", str(max(0, min(254, round(point.cadence_rpm)))))
    if point.speed_m_s is not None or point.power_w is not None:
        more = ET.SubElement(_sub(node, "Extensions"), f"{{{EXTENSION}}}TPX")
        if point.speed_m_s is not None:
            ET.SubElement(more, f"{{{EXTENSION}}}Speed").text = f"{point.speed_m_s:.3f}"
        if point.power_w is not None:
            ET.SubElement(more, f"{{{EXTENSION}}}Watts").text = str(max(0, round(point.power_w)))


def _stretches(track: Track) -> list[list[Point]]:
    """The points between pauses and losses."""
    found: list[list[Point]] = [[]]
    spans = sorted(track.stops, key=lambda span: span.begin_ns)
    for point in track.points:
        while spans and point.at_ns >= spans[0].end_ns:
            spans.pop(0)
            found.append([])
        found[-1].append(point)
    return [stretch for stretch in found if stretch]


def _sub(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    node = ET.SubElement(parent, f"{{{TCX}}}{name}")
    node.text = text
    return node
