"""``python -m firmware_sim.gym --config FILE.json``: the simulated gym as a program."""

from __future__ import annotations

import sys

from firmware_sim import stage
from firmware_sim.gym.config import load
from firmware_sim.gym.floor import Floor


def main() -> int:
    """See ``firmware_sim.stage.start``."""
    description = "The simulated gym of the demo."
    return stage.start("firmware_sim.gym", description, load, lambda config: Floor(config).live)


if __name__ == "__main__":
    sys.exit(main())
