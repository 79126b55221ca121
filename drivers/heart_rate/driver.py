"""Driver of heart rate straps behind a raw gateway (``drivers.rawtopics``).

The hard part is not to judge: 0 is "not known", and what is believable depends on the person, whom only the kernel
knows. A user would notice a mistake as an alarm about a strap that hangs on its hook.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.heart_rate.readings import sessions
from drivers.options import OptionReader, OptionValue
from drivers.rawtopics import RawDriver


class HeartRateDriver(RawDriver):
    """Options as PROTOCOL.md section 3 lists them."""

    protocol = "heart_rate"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        reader = OptionReader(self.protocol, options)
        super().__init__(reader, sessions())
        reader.finish()
