"""How many photos a person may send, so that one visitor cannot fill the places that all faults share.

Counted in memory, of photos that could be kept: whoever takes a bad one loses nothing by trying again, and a restart
forgets. A user would notice a mistake as an inspector who is stopped in the middle of a round.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.domain.gym.photos import STAFF

WINDOW_S = 600.0
#: Photos within ``WINDOW_S``: of a visitor or panel, of one of the staff (a round of outdoor points), of all together.
PER_VISITOR, PER_STAFF, PER_BOX = 6, 60, 120
#: People who are remembered; who sent longest ago is forgotten first.
MAX_PEOPLE = 512
_ALL = ""


class PhotoGate:
    """Used by the event loop alone. ``now_s`` is monotonic."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._sent: OrderedDict[str, deque[float]] = OrderedDict()

    def admit(self, who: Principal) -> None:
        """Count one photo of ``who``. Raises ``ApiProblem`` "too_many_photos" and counts nothing."""
        now_s = self._now_s()
        own = PER_STAFF if who.role in STAFF else PER_VISITOR
        for key, most in ((_ALL, PER_BOX), (who.actor.user, own)):
            times = self._sent.get(key, deque())
            while times and now_s - times[0] >= WINDOW_S:
                times.popleft()
            if len(times) >= most:
                wait_s = max(1, int(WINDOW_S - (now_s - times[0])) + 1)
                raise ApiProblem("too_many_photos", retry_after_s=wait_s, params={"seconds": wait_s})
        for key in (who.actor.user, _ALL):
            self._sent.setdefault(key, deque()).append(now_s)
            self._sent.move_to_end(key)
        while len(self._sent) > MAX_PEOPLE + 1:
            self._sent.popitem(last=False)
