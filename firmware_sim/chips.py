"""Chips, and the antenna fields in which they lie.

The hard part is what makes two reads of the same chip independent or not. A chip answers a pass with its own
probability ``read_p``, drawn anew for each pass; but its quiet and inventoried flags live in the chip, survive until
it loses power, and are forgotten when it is lifted out of the field. A model that forgets this makes any stopping
rule look good; the user would notice as plates that are sold without being paid.

Strengths are dB relative to a plate lying well on the middle of the antenna.
"""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field

#: Spread of signal strength between plates (position, tilt, load) and from pass to pass: our assumption, no source.
PLACE_SD_DB = 3.0
FADING_SD_DB = 1.0
#: Two near-field antennas 2 m apart saw one tag at -34 and -53 dBm (sllurp/sllurp#76).
LEAK_LOSS_DB = 19.0
#: More than one tray and its neighbours; a larger pile on one antenna is a bug of the test.
MAX_CHIPS = 256

_placement_ids = itertools.count(1)


@dataclass(slots=True, eq=False)
class Chip:
    """One chip under one plate. ``uid`` is lower-case hex, most significant byte first: 16 digits beginning with e0
    for ISO15693, an EPC of whole 16-bit words for Gen2. ``read_p`` is the chance to answer one pass on the middle of
    an antenna."""

    uid: str
    read_p: float = 0.9
    dead: bool = False
    label: str = ""
    #: Kinds of reader that can read it: "hf" (ISO15693), "uhf" (Gen2). Plates with both have one number.
    families: frozenset[str] = frozenset({"hf", "uhf"})
    number: int = field(init=False)
    #: Gen2 banks that were written or locked by a host, see ``firmware_sim.magicrf.access``.
    banks: dict[int, bytearray] = field(default_factory=dict)
    locked_banks: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        if not 0.0 <= self.read_p <= 1.0:
            raise ValueError(f"plate {self.uid}: read_p {self.read_p} is no probability; give 0..1")
        self.number = int(self.uid, 16)


@dataclass(slots=True, eq=False)
class Placed:
    """A chip lying in a field: one stay from the moment it is put down until it is lifted.

    ``quiet``: ISO15693 quiet state. ``inventoried``: Gen2 flag B of S0..S3 as the simulated ns until which it holds
    (0 = flag A). ``selected``: Gen2 SL flag.
    """

    chip: Chip
    gain_db: float
    stay: int = field(default_factory=lambda: next(_placement_ids))
    quiet: bool = False
    selected: bool = False
    inventoried: list[int] = field(default_factory=lambda: [0, 0, 0, 0])


@dataclass(slots=True, frozen=True)
class Answer:
    """A chip that has enough power in this pass, with the strength at which the reader hears it."""

    placed: Placed
    strength_db: float
    leaked: bool = False


@dataclass(slots=True)
class Leak:
    """How much of a neighbour's tray this antenna hears: chance per chip and pass, and the loss against an own plate.
    Only chips of ``family`` answer; "" = all."""

    source: Field
    probability: float
    loss_db: float = LEAK_LOSS_DB
    family: str = ""


class Field:
    """The near field of one lane's antenna: which chips lie in it, and which of them answer a pass.

    One ``random.Random(seed)`` per field: placing and passes of one lane never disturb the draws of another.
    """

    def __init__(self, seed: int = 0, *, place_sd_db: float = PLACE_SD_DB, fading_sd_db: float = FADING_SD_DB) -> None:
        self._random = random.Random(f"field {seed}")
        self._place_sd_db = place_sd_db
        self._fading_sd_db = fading_sd_db
        self.placed: dict[str, Placed] = {}
        self.leaks: list[Leak] = []

    def place(self, chip: Chip) -> None:
        """Put a plate down. A second chip with the same UID cannot exist; placing it again is a mistake of the
        caller."""
        if chip.uid in self.placed:
            raise ValueError(f"plate {chip.uid} lies on this tray already")
        if len(self.placed) >= MAX_CHIPS:
            raise ValueError(f"more than {MAX_CHIPS} plates on one antenna")
        self.placed[chip.uid] = Placed(chip, self._random.gauss(0.0, self._place_sd_db))

    def remove(self, uid: str) -> Chip | None:
        """Lift a plate; its flags are lost with its power. None when it does not lie here."""
        placed = self.placed.pop(uid, None)
        return placed.chip if placed else None

    def clear(self) -> list[Chip]:
        """Lift all plates."""
        chips = [placed.chip for placed in self.placed.values()]
        self.placed.clear()
        return chips

    def pass_answers(self, leak_scale: float = 1.0) -> list[Answer]:
        """Who has power in this pass: each live chip with its own ``read_p``, each chip of a neighbour's tray with the
        leak's probability times ``leak_scale``. Fresh draws at each call; flags are not looked at."""
        draw = self._random.random
        answers = [
            Answer(placed, placed.gain_db + self._fading())
            for placed in self.placed.values()
            if not placed.chip.dead and draw() < placed.chip.read_p
        ]
        for leak in self.leaks:
            probability = min(leak.probability * leak_scale, 1.0)
            answers.extend(
                Answer(placed, placed.gain_db - leak.loss_db + self._fading(), leaked=True)
                for placed in leak.source.placed.values()
                if probability and _can_leak(placed.chip, leak.family) and draw() < probability * placed.chip.read_p
            )
        return answers

    def power_lost(self) -> None:
        """The field went off for a moment: every chip forgets its quiet state and its S0 flag (SL lasts longer)."""
        for placed in self.placed.values():
            placed.quiet = False
            placed.inventoried[0] = 0

    def _fading(self) -> float:
        return self._random.gauss(0.0, self._fading_sd_db)


def _can_leak(chip: Chip, family: str) -> bool:
    return not chip.dead and (not family or family in chip.families)


def captured(strengths_db: list[float], margin_db: float) -> int | None:
    """Index of the answer that a receiver decodes although several overlap, or None when they destroy one another.

    The strongest wins when it is ``margin_db`` above the power sum of all others (the usual capture model).
    """
    best = max(range(len(strengths_db)), key=strengths_db.__getitem__)
    if len(strengths_db) == 1:
        return best
    others = sum(10 ** (level / 10) for index, level in enumerate(strengths_db) if index != best)
    return best if strengths_db[best] - 10 * math.log10(others) >= margin_db else None


def draw_read_p(rng: random.Random, beta_a: float = 45.0, beta_b: float = 5.0) -> float:
    """A plate's read probability from Beta(a, b); the default is the prior of the canteen reference, section 2.1."""
    return rng.betavariate(beta_a, beta_b)
