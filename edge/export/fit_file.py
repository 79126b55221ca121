"""A workout as a FIT activity file, encoded by fit-tool (BSD-3).

A pause is a pair of timer events, as readers of the format expect; a gap alone would be joined by a straight line. A
user would notice a mistake as a training portal that counts the pause as training.
"""

from __future__ import annotations

from fit_tool.fit_file_builder import FitFileBuilder
from fit_tool.profile.messages.activity_message import ActivityMessage
from fit_tool.profile.messages.event_message import EventMessage
from fit_tool.profile.messages.file_id_message import FileIdMessage
from fit_tool.profile.messages.lap_message import LapMessage
from fit_tool.profile.messages.record_message import RecordMessage
from fit_tool.profile.messages.session_message import SessionMessage
from fit_tool.profile.profile_type import (
    Activity,
    Event,
    EventType,
    FileType,
    Manufacturer,
    Sport,
    SubSport,
)

from edge.export.track import NS_PER_MS, Point, Track

_SPORTS = {
    "treadmill": (Sport.RUNNING, SubSport.TREADMILL),
    "bike": (Sport.CYCLING, SubSport.INDOOR_CYCLING),
    "rower": (Sport.ROWING, SubSport.INDOOR_ROWING),
    "cross_trainer": (Sport.FITNESS_EQUIPMENT, SubSport.ELLIPTICAL),
    "stair_climber": (Sport.FITNESS_EQUIPMENT, SubSport.STAIR_CLIMBING),
    "step_climber": (Sport.FITNESS_EQUIPMENT, SubSport.STAIR_CLIMBING),
    "strength": (Sport.TRAINING, SubSport.STRENGTH_TRAINING),
}
#: Product number of this software; development products have no maker of their own.
PRODUCT = 1


def to_fit(track: Track) -> bytes:
    """The file's bytes."""
    row = track.row
    begin_ms, end_ms = row.began_ns // NS_PER_MS, (row.ended_ns or row.at_ns) // NS_PER_MS
    builder = FitFileBuilder(auto_define=True, min_string_size=50)
    builder.add(_file_id(begin_ms))
    builder.add_all(_middle(track, begin_ms, end_ms))
    lap, session = LapMessage(), SessionMessage()
    for message in (lap, session):
        message.timestamp = end_ms
        message.start_time = begin_ms
        message.total_elapsed_time = (end_ms - begin_ms) / 1000
        message.total_timer_time = row.active_ms / 1000
        message.total_distance = row.distance_m
        message.total_calories = min(65534, round(row.energy_kcal))
        message.sport, message.sub_sport = _SPORTS.get(row.kind, (Sport.FITNESS_EQUIPMENT, SubSport.GENERIC))
        if row.mean_bpm:
            message.avg_heart_rate = round(row.mean_bpm)
        if row.peak_bpm:
            message.max_heart_rate = min(254, row.peak_bpm)
        if row.mean_power_w is not None:
            message.avg_power, message.max_power = (
                max(0, min(65534, round(power))) for power in (row.mean_power_w, row.peak_power_w)
            )
    session.first_lap_index, session.num_laps = 0, 1
    activity = ActivityMessage()
    activity.timestamp, activity.type, activity.num_sessions = end_ms, Activity.MANUAL, 1
    activity.total_timer_time = row.active_ms / 1000
    builder.add_all([lap, session, activity])
    return bytes(builder.build().to_bytes())


def _file_id(begin_ms: int) -> FileIdMessage:
    message = FileIdMessage()
    message.type, message.manufacturer, message.product = FileType.ACTIVITY, Manufacturer.DEVELOPMENT.value, PRODUCT
    message.time_created, message.serial_number = begin_ms, 1
    return message


def _middle(track: Track, begin_ms: int, end_ms: int) -> list[RecordMessage | EventMessage]:
    """Records and timer events in the order of time."""
    events = [(begin_ms, 0, _timer(begin_ms, EventType.START)), (end_ms, 9, _timer(end_ms, EventType.STOP_ALL))]
    for span in track.stops:
        first, last = span.begin_ns // NS_PER_MS, span.end_ns // NS_PER_MS
        if last < end_ms:
            events += [(first, 2, _timer(first, EventType.STOP_ALL)), (last, 0, _timer(last, EventType.START))]
    records = [(point.at_ns // NS_PER_MS, 1, _record(point)) for point in track.points]
    return [message for _, _, message in sorted([*events, *records], key=lambda one: one[:2])]


def _timer(at_ms: int, kind: EventType) -> EventMessage:
    message = EventMessage()
    message.event, message.event_type, message.timestamp = Event.TIMER, kind, at_ms
    return message


def _record(point: Point) -> RecordMessage:
    message = RecordMessage()
    message.timestamp = point.at_ns // NS_PER_MS
    if point.distance_m is not None:
        message.distance = point.distance_m
    if point.speed_m_s is not None:
        message.enhanced_speed = point.speed_m_s
    if point.cadence_rpm is not None:
        message.cadence = max(0, min(254, round(point.cadence_rpm)))
    if point.power_w is not None:
        message.power = max(0, min(65534, round(point.power_w)))
    if point.heart_rate_bpm is not None:
        message.heart_rate = min(254, point.heart_rate_bpm)
    return message
