"""``python -m firmware_sim.garage --config FILE.json``: the simulated garage as a program."""

from __future__ import annotations

import sys

from firmware_sim import stage
from firmware_sim.garage.config import load
from firmware_sim.garage.floor import Floor


def main() -> int:
    """See ``firmware_sim.stage.start``."""
    return stage.start(
        "firmware_sim.garage", "The simulated garage of the demo.", load, lambda config: Floor(config).live
    )


if __name__ == "__main__":
    sys.exit(main())
