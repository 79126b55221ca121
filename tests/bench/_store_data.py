"""The sensor data set of the store bench: 2,000 series at 1 Hz, four kinds, as arrays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

S = 1_000_000_000
T0 = 1_795_000_000 * S
SERIES = 2000
#: Series of a whole day beside the others, for the queries.
DAY_SERIES = 10
DAY_S = 86_400
Floats = npt.NDArray[np.float64]


class Sensors:
    """Temperature (0.1 K steps now and then), noisy power (0.1 W), state (0 or 1, rarely changing), counter (whole):
    a quarter each. One value a series and second, the same for every store. Noise and steps are such that each kind
    packs about as in the reference's data set (storage.md §2.2: 0.35, 0.70, 0.06, 0.36 B a sample)."""

    def __init__(self, series: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._kinds = np.arange(series) * 4 // series
        self._state = np.where(self._kinds == 0, 21.0, np.where(self._kinds == 1, 120.0, 0.0))

    def ticks(self, count: int) -> Iterator[Floats]:
        """The values of each second."""
        rng, kinds, state = self._rng, self._kinds, self._state
        temperature, power, on, counter = (kinds == kind for kind in range(4))
        for _ in range(count):
            step = rng.random(kinds.size)
            state[temperature] += np.where(step < 0.05, 0.1, np.where(step > 0.95, -0.1, 0.0))[temperature]
            state[counter] += np.floor(step * 2.4)[counter]
            flips = on & (step < 0.002)
            state[flips] = 1 - state[flips]
            values = np.round(state, 1)
            values[power] = np.round(120 + 0.8 * rng.standard_normal(int(power.sum())), 1)
            yield values


def names(series: int, device: str) -> list[tuple[str, str, str]]:
    """(device, point, quantity) of each series."""
    quantities = ("temperature_c", "power_w", "relay", "use_count")
    return [(device, f"p{n}", quantities[n * 4 // series]) for n in range(series)]


def days(day_s: int = DAY_S) -> Floats:
    """(second, series) of the whole days; ``day_s`` seconds are a day."""
    return np.stack(list(Sensors(DAY_SERIES, 5).ticks(day_s)))


def hour(day_s: int) -> tuple[int, int]:
    """An hour in the middle of a day of ``day_s`` seconds: the moments that it lies between."""
    begin = T0 + day_s * 25 // 54 * S
    return begin, begin + 3600 * S
