"""``python -m firmware_sim.gym --config FILE.json``: the simulated gym as a program."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from firmware_sim.canteenapi import say
from firmware_sim.control import ControlError
from firmware_sim.gym.config import load
from firmware_sim.gym.floor import Floor
from firmware_sim.jsonconfig import ConfigError
from firmware_sim.program import run


def main() -> int:
    """Exit 3 for a wrong configuration, 4 when a port or the socket cannot be had."""
    parser = argparse.ArgumentParser(prog="firmware_sim.gym", description="The simulated gym of the demo.")
    parser.add_argument("--config", type=Path, required=True, help="JSON file, see firmware_sim.gym.config")
    options = parser.parse_args()
    try:
        config = load(options.config)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    try:
        return run(Floor(config).live)
    except (OSError, ControlError) as error:
        say(str(error))
        return 4


if __name__ == "__main__":
    sys.exit(main())
