"""Which ends of charges are old: a board tells an end until it is acknowledged, and the acknowledgement may be lost.

The hard part is that by then somebody else may charge at the same port: the end of the charge before, told once more,
says nothing of the port now. A user would notice a mistake as a charge that is cut a moment after it began.
"""

from __future__ import annotations

from collections import OrderedDict

PORTS_MAX = 4096


class Ends:
    """The last end of each port, by the order under which the board keeps a charge; the port longest unheard goes."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, str] = OrderedDict()
        self._before: OrderedDict[str, str] = OrderedDict()

    def started(self, point: str) -> None:
        """A start goes out: what ended there before it is old from now on."""
        last = self._last.pop(point, None)
        if last is not None:
            _keep(self._before, point, last)

    def is_old(self, point: str, order: str) -> bool:
        """Take in an end. True for that of the charge before the newest start, told again."""
        if not order.strip("0"):
            return False  # a charge of the board's own: they are all called so
        if self._before.get(point) == order:
            return True
        _keep(self._last, point, order)
        return False


def _keep(store: OrderedDict[str, str], point: str, order: str) -> None:
    store[point] = order
    store.move_to_end(point)
    if len(store) > PORTS_MAX:
        store.popitem(last=False)
