"""Devices that speak only while they are used: what tells quiet from dead.

Their silence proves nothing: a bicycle that sleeps and one whose gateway burned say the same. Only a word of their own
can tell, the last will that the broker gives out for a client that has gone (MQTT-3.1.2.5). So a quiet link is ready
and says "quiet"; what has left its will is told as gone. A user would notice a mistake as an alarm every morning before
the first visitor, or as a dead row of machines that is called free. The topic is ours: ``drivers/ftms/PROTOCOL.md`` 1.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from drivers.messages import Message, PayloadError, Problem, boolean, json_object
from drivers.topics import POINTS_MAX, TopicsDriver
from edge.domain.devices import DeviceState
from edge.domain.field_devices import LAST_WILL, PointHealth

STATUS = "status"
_WORDS = {"online": True, "offline": False}
_ASSETS_MAX = 64


class Status(NamedTuple):
    """What a client says of itself, or the broker in its place: ``points`` are those that it stands for."""

    points: tuple[str, ...]
    online: bool


def parse_status(message: Message) -> Status | Problem:
    """``<site>/<zone>/<name>/status``: ``online``, ``offline``, or ``{"online": bool, "assets": [name, ..]}``."""
    levels = message.topic.split("/")
    if len(levels) != 4 or not all(levels):
        return Problem("bad_message", f"not <site>/<zone>/<asset>/{STATUS}")
    zone, name = levels[1], levels[2]
    said = _WORDS.get(message.payload.strip().lower())
    if said is not None:
        return Status((f"{zone}/{name}",), said)
    try:
        fields = json_object(message)
        online = boolean(fields, "online")
    except PayloadError as error:
        return error.problem
    assets = fields.get("assets", [name])
    if online is None or not isinstance(assets, list) or not 1 <= len(assets) <= _ASSETS_MAX:
        return Problem("bad_value", f"wanted online and at most {_ASSETS_MAX} assets")
    if not all(isinstance(one, str) and one and "/" not in one for one in assets):
        return Problem("bad_value", "assets must be names of machines of this zone")
    return Status(tuple(f"{zone}/{one}" for one in assets), online)


class PresenceDriver(TopicsDriver):
    """Base of drivers whose devices are silent while nobody uses them."""

    def __init__(self) -> None:
        super().__init__()
        self._present: OrderedDict[str, bool] = OrderedDict()
        self._is_quiet = False

    def presence_topic(self, site: str) -> str:
        return f"{site or '+'}/+/+/{STATUS}"

    def on_opened(self) -> None:
        self._present.clear()
        self._is_quiet = False

    def heard(self) -> None:
        super().heard()
        if self._is_quiet:
            self._is_quiet = False
            self.health(DeviceState.READY)

    def took_status(self, message: Message) -> bool:
        """Whether it was a word about presence; it is told then. A stored one counts: that is how a will is kept."""
        if not message.topic.endswith(f"/{STATUS}"):
            return False
        told = parse_status(message)
        if isinstance(told, Problem):
            self.refused += 1
            return True
        self.heard()
        for point in told.points:
            self._present[point] = told.online
            self._present.move_to_end(point)
            if len(self._present) > POINTS_MAX:
                self._present.popitem(last=False)
            self.say(PointHealth(point=point, online=told.online, retained=message.retain, detail=LAST_WILL))
            self.on_presence(point, online=told.online)
        return True

    def is_present(self, point: str) -> bool:
        """Whether its own availability says that it is there, however quiet it is."""
        return self._present.get(point, False)

    def on_presence(self, point: str, *, online: bool) -> None:
        """A point said of itself that it is there, or that it has gone."""

    def on_quiet(self) -> None:
        """Nothing was heard since the link opened: no fault, but said."""
        self._is_quiet = True
        self.health(DeviceState.READY, "", f"quiet since the link opened; if it should not be: {self.quiet_hint}")
