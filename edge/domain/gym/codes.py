"""Every code by which the gym names a cause: of an alarm, of a work order, of a workout's end, of a refusal.

Codes travel from here to rows, logs and pages, which put them into words (``edge/web/src/i18n``); a test reads the
modules of this folder for codes that are missing here. A user would notice a mistake as "order_days_due" in the middle
of a Chinese page.
"""

from __future__ import annotations

from edge.domain.alarm_states import BOOK_CAUSES
from edge.domain.gym.messages import GRAVE_REASONS
from edge.domain.gym.view_types import GateDecision

#: What maintenance is due or soon (``AssetView.due``, ``MaintenanceView.due``).
DUE_CODES = frozenset(f"{by}_{how}" for by in ("hours", "days", "inspection") for how in ("soon", "due", "overdue")) | {
    *("life_over", "drift", "drift_sisters", "counter_silent", "battery_low"),
}

#: What falls due by itself: no defect of the machine.
OWED = frozenset({"hours_due", "days_due", "inspection_due", "life_over", "counter_silent", "battery_low"})

#: Why there is a work order (``OrderView.cause``).
ORDER_CAUSES = frozenset(code for code in DUE_CODES if not code.endswith(("_soon", "_overdue"))) | {
    *("reported", "locked_out", "inspection", "motor_warm", "fault", "service_code"),
}

#: What was done to a work order (``OrderStepRow.step``); ``also`` bears its cause behind a colon.
STEPS = frozenset(
    {"seen", "acknowledged", "ticket", "locked_out", "serviced", "failed", "passed", "removed", "settled", "also"}
    | {"photo", "photo_erased"}
)

#: Why the entry gate did not let somebody begin.
GATE_REFUSALS = frozenset(f"gate_{one.value}" for one in GateDecision if one is not GateDecision.ADMIT)

#: Causes of alarms: of pulses (``heart``), people who do not feel well, machines, orders, links and the book itself.
ALARM_CAUSES = (
    BOOK_CAUSES
    | {f"order_{cause}" for cause in ORDER_CAUSES}
    | {f"felt_{reason}" for reason in GRAVE_REASONS}
    | GATE_REFUSALS
    | {
        *("heart_high", "heart_alarm", "heart_doubtful", "heart_rises"),
        *("safety_key", "stop_refused", "machine_fault", "motor_current", "motor_hot", "device_lost", "queue_cap"),
    }
)

#: Why a workout ended (``WorkoutRow.reason``).
END_REASONS = frozenset({"idle", "finished", "left", "claimed", "signal_lost", "restarted", "locked_out", "queue_cap"})

#: Why a command cannot be carried out now (``problem`` of the answer ``not_now``).
NOT_NOW = GATE_REFUSALS | {
    *("out_of_order", "closed", "busy_elsewhere", "no_order", "no_queue", "queue_cap", "stop_not_allowed", "no_config"),
    *("return_test_first", "not_referred", "inspect_first"),
}

#: What is wrong with a lap (``LapView.problem``).
LAP_PROBLEMS = frozenset({"missing_gate", "short_cut", "too_fast"})
