"""Driver of FTMS machines behind a raw gateway (``drivers.rawtopics``). Read-only unless the site allows stopping.

The hard part is in ``readings`` (records that break their own flags) and ``stopping`` (the only thing ever written). A
user would notice a mistake here as a machine that obeys although nobody allowed it.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.ftms.readings import sessions
from drivers.ftms.stopping import FtmsStopper
from drivers.options import OptionReader, OptionValue
from drivers.rawtopics import RawDriver


class FtmsDriver(RawDriver):
    """Options as PROTOCOL.md section 5 lists them."""

    protocol = "ftms"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        reader = OptionReader(self.protocol, options)
        life_fitness = reader.names("life_fitness")
        super().__init__(reader, sessions(life_fitness), FtmsStopper)
        reader.finish()
