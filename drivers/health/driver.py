"""Driver of the health hut's cuffs and scales behind a raw gateway (``drivers.rawtopics``).

The hard part is whose measurement it is, and that is not decided here: the record goes up whole, with its raw bytes,
and the kernel ties it to a person by card. A user would notice a mistake as a neighbour's blood pressure.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.health.readings import sessions
from drivers.options import OptionReader, OptionValue
from drivers.rawtopics import RawDriver


class HealthDriver(RawDriver):
    """Options as PROTOCOL.md section 3 lists them."""

    protocol = "health"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        reader = OptionReader(self.protocol, options)
        super().__init__(reader, sessions())
        reader.finish()
