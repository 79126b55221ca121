"""What is known of a machine's wear. Hours and kilometres are the machine's own where it tells them, else integrated
from its use. Current is compared as an index: measured over what this machine drew at that speed when it was new here.
"""

from __future__ import annotations

import msgspec

#: Days of indexes that are kept for the slope.
KEPT_DAYS = 60
#: Days of which the baseline is made, and samples that it needs at least.
BASELINE_DAYS = 7
BASELINE_SAMPLES = 300
HOURS = 24


class Line(msgspec.Struct, array_like=True):
    """Running sums of (speed v in km/h, current i in mA) for a straight line i = a + b v."""

    n: int = 0
    v: float = 0.0
    vv: float = 0.0
    i: float = 0.0
    vi: float = 0.0

    def add(self, speed_km_h: float, current_ma: float) -> None:
        self.n += 1
        self.v += speed_km_h
        self.vv += speed_km_h * speed_km_h
        self.i += current_ma
        self.vi += speed_km_h * current_ma

    def fit(self) -> tuple[float, float]:
        """(a, b) by least squares; level with one speed only."""
        spread = self.n * self.vv - self.v * self.v
        if spread <= 1e-6 * self.n * self.n:
            return self.i / self.n, 0.0
        slope = (self.n * self.vi - self.v * self.i) / spread
        return (self.i - slope * self.v) / self.n, slope


class Day(msgspec.Struct):
    """What a machine did on the business day so far. ``measured`` and ``expected`` are sums of current in mA, ``hours``
    the uses of an outdoor point by hour of the site's clock ([] for none), ``current`` the sum of the ``n`` words of a
    motor current in motion."""

    busy_ms: int = 0
    distance_m: float = 0.0
    starts: int = 0
    uses: int = 0
    n: int = 0
    measured: float = 0.0
    expected: float = 0.0
    peak_current_ma: int | None = None
    peak_temperature_c: float | None = None
    hours: list[int] = []
    current: float = 0.0


class Wear(msgspec.Struct, kw_only=True):
    """``told_hours_h`` and ``told_km`` are the machine's own last words, ``own_*`` what was integrated here.
    ``service_*``: hours and day at the last service. ``baseline_days`` days have gone into ``line``. ``indexes`` are
    (day, index). ``cusum`` against sister machines. ``counter`` of an outdoor point and its value when the day
    began."""

    told_hours_h: float | None = None
    told_km: float | None = None
    own_ms: int = 0
    own_m: float = 0.0
    starts: int = 0
    told_starts: int | None = None
    service_h: float = 0.0
    service_day: str = ""
    line: Line = msgspec.field(default_factory=Line)
    baseline_days: int = 0
    indexes: list[tuple[str, float]] = []
    cusum: float = 0.0
    drifts: tuple[str, ...] = ()
    day: Day = msgspec.field(default_factory=Day)
    counter: int | None = None
    said_ns: int = 0
    """When the counter's last word was said, by the point's own clock; 0 unknown."""
    before_reset: int = 0
    """Where the counter stood before it began anew."""
    odd_counts: int = 0
    """Smaller numbers in a row that were taken for late words."""
    heard_day: str = ""
    """Business day on which an outdoor point was last heard, or was first waited for."""
    battery_pct: float | None = None
    odd_hours_h: float | None = None
    """Hours below the last ones, said once so far."""
    inspected_day: str = ""
    inspection: int = 0
    """Number of the last inspection: the sequence of its input."""
    told_dues: tuple[str, ...] = ()
    noted_ns: int = 0

    @property
    def hours_h(self) -> float:
        """Hours of use, the machine's own word if there is one."""
        return self.told_hours_h if self.told_hours_h is not None else self.own_ms / 3_600_000

    @property
    def distance_km(self) -> float:
        return self.told_km if self.told_km is not None else self.own_m / 1000

    @property
    def all_starts(self) -> int:
        return self.starts if self.told_starts is None else self.told_starts

    @property
    def has_baseline(self) -> bool:
        return self.baseline_days >= BASELINE_DAYS and self.line.n >= BASELINE_SAMPLES
