"""How sure it is that every plate was read: the mathematics of the stopping rule, nothing else.

Model: plates on a tray N ~ Poisson(lambda); a live plate answers one independent pass with probability p ~ Beta(a, b).
A plate stays silent over k passes with T(k) = E[(1-p)^k] = B(a, b+k) / B(a, b). By Poisson thinning the number of live
plates that were missed is Poisson(lambda * T(k)) whatever was found, so the chance of a miss is 1 - exp(-lambda *
T(k)), at most lambda * T(k). An unread chip is never quiet, so a residual pass (one that asks only chips not told since
the last reset) is a trial for it like any other, at a quarter of the time.

Capture: where a reader walks a tree by UID, as ISO15693 readers do, the stronger of two chips in one slot can hide the
weaker in *every* statistical pass. Such a chip (share c of plates) has only the r residual passes to answer in, which
adds lambda * c * T(r). Without this term 3 of 400 simulated trays were wrong; readers that draw slots anew each round
have c = 0.

Chips that never answer at all (share delta) add 1 - exp(-lambda * delta), which no number of passes lowers: it is
stated apart. Method after Jacobsen et al., IEEE RFID 2009 (running estimate over independent sessions).
"""

from __future__ import annotations

import math

import msgspec

MAX_PASSES = 400


def silent(k: int, a: float, b: float) -> float:
    """T(k): the chance that a live plate with p ~ Beta(a, b) stays silent over ``k`` independent passes."""
    product = 1.0
    for i in range(k):
        product *= (b + i) / (a + b + i)
    return product


def passes_needed(epsilon: float, mean_plates: float, a: float, b: float) -> int:
    """The first k with mean_plates * T(k) <= epsilon (``MAX_PASSES`` when none up to there does)."""
    product = mean_plates
    for k in range(MAX_PASSES):
        if product <= epsilon:
            return k
        product *= (b + k) / (a + b + k)
    return MAX_PASSES


def missed_mean(passes: int, residuals: int, mean_plates: float, prior: tuple[float, float], hidden: float) -> float:
    """Mean number of live plates still unread after ``passes`` trials, ``residuals`` of which were residual passes;
    ``hidden`` is the share c of plates that capture can hide from statistical passes."""
    a, b = prior
    return mean_plates * (silent(passes, a, b) + hidden * silent(residuals, a, b))


def at_least_one(mean: float) -> float:
    """Chance of at least one when the number is Poisson with this mean."""
    return -math.expm1(-mean)


def dead_bound(mean_plates: float, dead_chip_ppm: int) -> float:
    """Chance that a plate with a dead chip lies on the tray."""
    return at_least_one(mean_plates * dead_chip_ppm / 1e6)


class ReadLedger(msgspec.Struct):
    """Sums over plates of x = reads / passes: enough for the moments of p, and small. ``inverse`` sums 1 / passes."""

    plates: int = 0
    x: float = 0.0
    xx: float = 0.0
    inverse: float = 0.0

    def add(self, reads: int, passes: int) -> None:
        """Count a plate that answered ``reads`` of ``passes`` (> 0) passes."""
        share = reads / passes
        self.plates += 1
        self.x += share
        self.xx += share * share
        self.inverse += 1 / passes


#: Plates of a day below which a lane keeps what it believed, and the strength of that belief when it does change.
MIN_PLATES = 200
PRIOR_PLATES = 500
MIN_STRENGTH, MAX_STRENGTH = 5.0, 400.0


def refit(ledger: ReadLedger, a: float, b: float) -> tuple[float, float]:
    """The Beta prior for tomorrow, from a day's ledger by the moments of the beta-binomial, blended with the old one.

    Var(x) = mu (1-mu) (1/m + rho (1 - 1/m)) with rho = 1 / (a + b + 1). Returns the old prior when the day was too
    small or the data have no spread to tell rho from. The mean is kept within 0.3..0.995.
    """
    n = ledger.plates
    if n < MIN_PLATES:
        return a, b
    mean = ledger.x / n
    spread = max(0.0, ledger.xx / n - mean * mean)
    inverse = ledger.inverse / n
    if not 0.0 < mean < 1.0 or inverse >= 1.0:
        return a, b
    rho = (spread / (mean * (1 - mean)) - inverse) / (1 - inverse)
    strength = MAX_STRENGTH if rho <= 1 / (MAX_STRENGTH + 1) else max(MIN_STRENGTH, 1 / rho - 1)
    weight = n / (n + PRIOR_PLATES)
    new_mean = min(0.995, max(0.3, weight * mean + (1 - weight) * a / (a + b)))
    new_strength = math.exp(weight * math.log(strength) + (1 - weight) * math.log(a + b))
    return new_mean * new_strength, (1 - new_mean) * new_strength


def learn_mean(mean_plates: float, seen: int) -> float:
    """The mean number of plates on a tray after one more tray of ``seen``: a slow running mean within 1..12."""
    return min(12.0, max(1.0, mean_plates + (seen - mean_plates) / 200))
