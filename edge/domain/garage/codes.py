"""Every code by which the garage names a cause: what raised an alarm, what latched a zone, why an outlet is off.

Codes travel from here to rows, logs, webhooks and pages, which put them into words (``edge/web/src/i18n``). The hard
part is to stay complete: a test holds both sides together, and reads the modules of this folder for codes that are
missing here. A user would notice a mistake as "cut_not_confirmed" in the middle of a Chinese page.
"""

from __future__ import annotations

from edge.domain.alarm_states import BOOK_CAUSES
from edge.domain.field_devices import OUTPUT_FAULTS, SESSION_ENDS
from edge.domain.garage.charging_caps import TRIPS
from edge.domain.garage.signals import FIRE_KINDS

#: What latches a zone: a signal of fire, or what is treated like one (``zones.impulse``).
LATCH_CAUSES = frozenset(kind.value for kind in FIRE_KINDS) | {"hand", "set_aside", "cut_unconfirmed", "neighbour"}

#: Causes of alarms: of zones, sources and outputs (``zone_alarms``), of doors (``access``), of outlets
#: (``charging_alarms``), of links (``hearing``), of a refused configuration (``building``), and those of the alarm
#: book itself.
ALARM_CAUSES = (
    BOOK_CAUSES
    | TRIPS
    | {
        *("fire", "pre_alarm", "no_detector", "walk_test", "water_unconfirmed", "output_unconfirmed"),
        *("sensor_stale", "sensor_absent", "sensor_fault", "battery_low", "device_lost"),
        *("cut_not_confirmed", "contact_welded", "meter_stuck"),
        *("door_forced", "door_held", "high_power", "warm"),
        *("not_armed", "config_refused"),
    }
)

#: Why a switch may not be trusted with current again (``Switch.bad``), or what its device says of it.
TROUBLES = OUTPUT_FAULTS | {"welded", "unproven", "meter_stuck", "refused"}

#: What a card is answered (``DoorView.last``, ``AccessEventRow.why``).
CARD_ANSWERS = frozenset({"granted", "unknown_card", "wrong_door", "expired", "wrong_hour"})

#: What the journal of the doors tells (``AccessEventRow.what``).
ACCESS_EVENTS = frozenset({"granted", "denied", "forced", "held", "closed", "relocked", "released"})

#: Why an outlet was switched off (``PortView.reason``, ``SessionRow.reason``, ``CutRecordRow.reason``).
OFF_REASONS = (
    LATCH_CAUSES
    | TRIPS
    | SESSION_ENDS
    | OUTPUT_FAULTS
    | {
        *("stopped", "full", "empty", "unplugged", "money_limit", "time_limit", "session_time", "hard_cap"),
        *("no_detector", "contactor_open", "switched_outside", "switched_off_outside", "interlock"),
        *("load", "removed", "not_armed", "restart", "downtime_unknown", "refused"),
    }
)
