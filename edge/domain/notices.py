"""What the box tells the outside world of an alarm, and what came of it.

The hard part is proof: a notice is only done when somebody answered for it (an HTTP 2xx, a broker's PUBACK, a panel
that showed it), and until then it is told again under the same id, so a receiver drops what it knows. A user would
notice a mistake as a call that never came although the page says that it was made.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

#: The device name under which a kernel sends notices and hears of them.
NOTIFY_DEVICE = "notify"


class Channel(StrEnum):
    """PAGE is proven by a panel that says it showed the alarm, BUZZER by the output that reads on, MQTT by the broker's
    PUBACK, WEBHOOK by a 2xx answer."""

    PAGE = "page"
    BUZZER = "buzzer"
    MQTT = "mqtt"
    WEBHOOK = "webhook"


class Notify(msgspec.Struct, frozen=True, kw_only=True, tag="notify"):
    """Tell ``target`` (URL, topic, output or panel; meaning by channel). ``what``: raised, escalated, cleared. The same
    ``notice_id`` is sent again until it is proven."""

    notice_id: str
    channel: Channel
    target: str
    what: str
    alarm_id: str
    cause: str
    zone: str
    priority: str
    details: tuple[str, ...]
    since_wall_ns: int
    attempt: int


class NotifyResult(msgspec.Struct, frozen=True, kw_only=True, tag="notify_result"):
    """What came of one attempt. ``proof`` is what the other side said (status line, packet id); ``final``: trying again
    cannot help (a 4xx answer, an unknown target)."""

    notice_id: str
    delivered: bool
    proof: str = ""
    final: bool = False
