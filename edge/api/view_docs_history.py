"""Words and examples for the fields of the history's answers in the OpenAPI document (see ``view_docs``)."""

from __future__ import annotations

from typing import Any

Doc = tuple[str, Any]

_MS = 1_795_147_440_000
_COLUMN = "A column: one for each time."

FIELDS: dict[tuple[str, str], Doc] = {
    ("HistorySeries", "key"): ("Its name in requests, on this box.", "garage.12"),
    ("HistorySeries", "vertical"): ("Part of the box.", "garage"),
    ("HistorySeries", "device"): ("Id of the device.", "charger-board"),
    ("HistorySeries", "point"): ("Point behind the device, empty for itself.", "B1-P03"),
    ("HistorySeries", "quantity"): ("What is measured, with its unit as suffix.", "power_w"),
    ("HistorySeries", "unit"): ("Unit as people write it, empty without one.", "W"),
    ("HistorySeries", "kind"): ("number, or state: a word that holds until the next one.", "number"),
    ("HistorySeries", "last_ms"): ("Time of the last value, UTC ms; null for never.", _MS),
    ("HistorySeries", "last_value"): ("Last value; null for states.", 176.4),
    ("HistorySeries", "last_word"): ("Last word; null for numbers.", None),
    ("HistorySeries", "last_quality"): ("See quality of HistorySamples.", 0),
    ("HistorySeriesList", "items"): ("The series.", []),
    ("HistoryLast", "key"): ("The series.", ["garage.12"]),
    ("HistoryLast", "value"): ("Values; of states the code of the word.", [176.4]),
    ("HistorySamples", "series"): ("Which series.", None),
    ("HistorySamples", "word"): ("Words of a state; empty for numbers.", []),
    ("HistoryWindows", "series"): ("Which series.", None),
    ("HistoryWindowsList", "items"): ("One for each series.", []),
    ("HistoryGroup", "series"): ("Which series.", []),
    ("HistoryGroup", "members"): ("Series that had samples in the window.", [8]),
    ("HistoryGroup", "total"): ("Sum of the series' means.", [1411.2]),
    ("HistoryZoneQuantity", "quantity"): ("What is measured, with its unit as suffix.", "power_w"),
    ("HistoryZoneQuantity", "unit"): ("Unit as people write it, empty without one.", "W"),
    ("HistoryZoneQuantity", "members"): ("How many things in the zone tell it.", 8),
    ("HistoryZone", "vertical"): ("Part of the box.", "garage"),
    ("HistoryZone", "zone"): ("Its name in the site file, and in requests.", "B1"),
    ("HistoryZone", "name"): ("Its name for people.", {"zh": "B1 充电区", "en": "Charging area B1"}),
    ("HistoryZone", "quantities"): ("What it can be asked for.", []),
    ("HistoryZones", "items"): ("The zones.", []),
    ("HistoryCurve", "series"): ("Which series.", None),
    ("HistoryCurve", "resolution_s"): ("Width of the bins behind it, s; 0: samples themselves.", 60),
    ("HistoryCurve", "words"): ("Words of a state by value.", []),
    ("HistoryGap", "vertical"): ("Part of the box.", "garage"),
    ("HistoryGap", "begin_ms"): ("From when, UTC ms.", _MS),
    ("HistoryGap", "end_ms"): ("Until when, UTC ms.", _MS + 60_000),
    ("HistoryGap", "reason"): ("Why.", "missing"),
    ("HistoryPlot", "curves"): ("The curves.", []),
    ("HistoryPlot", "gaps"): ("What is known to be lost in the span.", []),
    ("HistoryVertical", "vertical"): ("Part of the box.", "garage"),
    ("HistoryVertical", "through_seq"): ("Last input read from the log.", 18_422),
    ("HistoryVertical", "sealed_seq"): ("Last input sealed into chunks.", 18_000),
    ("HistoryVertical", "tail_samples"): ("Samples that are not sealed yet.", 844),
    ("HistoryVertical", "series"): ("How many series there are.", 18),
    ("HistoryVertical", "bytes"): ("What they take on the disk.", 1_048_576),
    ("HistoryVertical", "alarm"): ("Empty, or damaged, samples_dropped, log_changed, seal_failed, log_unreadable.", ""),
    ("HistoryVertical", "detail"): ("For the technician.", ""),
    ("HistoryVertical", "counts"): ("Counters since the start.", {"samples": 36_844}),
    ("HistoryVertical", "sinks"): ("How each sink is doing.", []),
    ("HistoryStatus", "items"): ("One for each part of the box.", []),
}
COMMON: dict[str, Doc] = {
    "begin_ms": ("Begin of each window, UTC ms.", [_MS]),
    "first": ("First of each window.", [170.0]),
    "last": ("Last of each window.", [171.5]),
    "max": ("Largest of each window.", [180.2]),
    "mean": ("Mean of each window.", [176.4]),
    "min": ("Smallest of each window.", [168.8]),
    "n": ("Samples in each window.", [60]),
    "quality": ("0 good, 1 clock untrusted, 2 repeated by a broker, 3 fault, 4 test.", [0]),
    "sum": ("Sum of each window.", [10_584.0]),
    "time_ms": ("When, UTC ms.", [_MS]),
    "value": (_COLUMN, [176.4]),
    "window_s": ("Width of a window, s.", 3600),
}
