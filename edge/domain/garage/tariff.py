"""Energy and money of a session: what was drawn in which band of the tariff, and what it costs, to the fen.

Energy comes from the meter's counter where there is one and it makes sense, else from the power over time; a counter
that was reset, wrapped or jumped is not believed for that one interval. Every interval is split over the tariff's bands
by the time it spent in each, so neither a slow meter nor a reading late moves energy into a dearer hour. Rounding: once
per part (energy, service) of a band, halves up. While the wall clock is not trusted the cheapest band holds: a doubt is
never at the resident's cost. A user would notice a mistake as a bill that does not add up. Integers only: mWh and fen.
"""

from __future__ import annotations

import msgspec

from edge.domain.garage.settings import TariffBand, TariffSettings

MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS
#: mWh in a kWh.
KWH = 1_000_000
#: A counter may run ahead of the integrated power by a quarter and two of its steps (at most 100 Wh each) per interval;
#: more is a jump, not energy.
SLACK_PCT = 125
STEP_MWH = 10_000


class Bill(msgspec.Struct, kw_only=True):
    """The running account of one session under the tariff that held when it began. ``by_band_mwh`` is in the order of
    ``tariff.bands``; ``counter_mwh`` the last counter value, -1 none yet; ``ahead_mwh``: integrated and billed already
    while the counter stood still (its resolution), to be taken from its next step."""

    tariff: TariffSettings
    utc_offset_min: int
    by_band_mwh: list[int]
    counter_mwh: int = -1
    ahead_mwh: int = 0
    disbelieved: int = 0


class PricePart(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a session's price: ``kind`` energy, service, minimum or limit (what a session's own limit takes off);
    ``fen`` = round(mwh x fen_per_kwh / 10^6)."""

    kind: str
    start_min: int
    end_min: int
    energy_mwh: int
    fen_per_kwh: int
    fen: int


def open_bill(tariff: TariffSettings, utc_offset_min: int) -> Bill:
    """An empty account. Raises ValueError when the bands do not cover the day exactly once."""
    edges = sorted((band.start_min, band.end_min) for band in tariff.bands)
    ends = [0, *(end for _, end in edges)]
    starts = [*(start for start, _ in edges), 1440]
    if not edges or ends != starts or any(end <= start for start, end in edges):
        raise ValueError(f"tariff {tariff.version}: the bands must cover 0-1440 min exactly once, got {edges}")
    return Bill(tariff=tariff, utc_offset_min=utc_offset_min, by_band_mwh=[0] * len(tariff.bands))


def interval_mwh(bill: Bill, integrated_mwh: int, counter_wh: float | None) -> int:
    """The energy of an interval: the counter's step if it is believable, else ``integrated_mwh`` (>= 0).

    Believed: 0 <= step <= 1.25 x what was integrated since its last step + 20 Wh. What was billed from power while the
    counter stood still is not billed again. A smaller counter is a reset or a wrap: begin anew from it."""
    if counter_wh is None:
        return integrated_mwh
    counter = round(counter_wh * 1000)
    before, bill.counter_mwh = bill.counter_mwh, counter
    if before < 0:
        return integrated_mwh
    step, expected = counter - before, bill.ahead_mwh + integrated_mwh
    if step == 0:
        bill.ahead_mwh = expected
        return integrated_mwh
    if step < 0 or step * 100 > SLACK_PCT * expected + 200 * STEP_MWH:
        bill.disbelieved += 1
        bill.ahead_mwh = 0
        return integrated_mwh
    taken = max(0, step - bill.ahead_mwh)
    bill.ahead_mwh = max(0, bill.ahead_mwh - step)
    return taken


def add(bill: Bill, energy_mwh: int, wall_ns: int, length_ns: int, *, trusted: bool) -> None:
    """Book ``energy_mwh`` that was drawn in the ``length_ns`` (monotonic) before ``wall_ns`` (UTC)."""
    if energy_mwh <= 0:
        return
    if not trusted:
        bill.by_band_mwh[cheapest(bill.tariff.bands)] += energy_mwh
        return
    end = wall_ns + bill.utc_offset_min * MINUTE_NS
    band = _band_of(bill.tariff.bands, min(end - length_ns, end - 1), end)
    if band is not None:
        bill.by_band_mwh[band] += energy_mwh
        return
    spent = _overlaps(bill.tariff.bands, end - length_ns, end)
    whole, left = sum(spent), energy_mwh
    for i, time_ns in enumerate(spent):
        share = energy_mwh * time_ns // whole
        bill.by_band_mwh[i] += share
        left -= share
    bill.by_band_mwh[max(range(len(spent)), key=spent.__getitem__)] += left


def _band_of(bands: tuple[TariffBand, ...], start_ns: int, end_ns: int) -> int | None:
    """The band in which all of an interval lies (nearly every one), None where there is more than one."""
    midnight_ns = start_ns - start_ns % DAY_NS
    for i, band in enumerate(bands):
        if start_ns >= midnight_ns + band.start_min * MINUTE_NS and end_ns <= midnight_ns + band.end_min * MINUTE_NS:
            return i
    return None


def _overlaps(bands: tuple[TariffBand, ...], start_ns: int, end_ns: int) -> list[int]:
    """Time in each band between two local moments, in ns; an empty interval counts as 1 ns at its end."""
    start_ns = min(start_ns, end_ns - 1)
    day = start_ns // DAY_NS
    found = [0] * len(bands)
    while day * DAY_NS < end_ns:
        for i, band in enumerate(bands):
            low = max(start_ns, day * DAY_NS + band.start_min * MINUTE_NS)
            high = min(end_ns, day * DAY_NS + band.end_min * MINUTE_NS)
            found[i] += max(0, high - low)
        day += 1
    return found


def cheapest(bands: tuple[TariffBand, ...]) -> int:
    """Index of the band with the lowest price of a kWh, the earlier one of equals."""
    return min(range(len(bands)), key=lambda i: bands[i].energy_fen_per_kwh + bands[i].service_fen_per_kwh)


def _fen(energy_mwh: int, fen_per_kwh: int) -> int:
    return (2 * energy_mwh * fen_per_kwh + KWH) // (2 * KWH)


def price(bill: Bill) -> tuple[int, tuple[PricePart, ...]]:
    """(fen, parts): the parts add up to the fen. Nothing drawn costs nothing; else at least ``minimum_fen``."""
    parts: list[PricePart] = []
    for band, energy in zip(bill.tariff.bands, bill.by_band_mwh, strict=True):
        if energy == 0:
            continue
        for kind, rate in (("energy", band.energy_fen_per_kwh), ("service", band.service_fen_per_kwh)):
            if rate:
                parts.append(
                    PricePart(
                        kind=kind,
                        start_min=band.start_min,
                        end_min=band.end_min,
                        energy_mwh=energy,
                        fen_per_kwh=rate,
                        fen=_fen(energy, rate),
                    )
                )
    total = sum(part.fen for part in parts)
    short = bill.tariff.minimum_fen - total
    if total_mwh(bill) and short > 0:
        parts.append(PricePart(kind="minimum", start_min=0, end_min=1440, energy_mwh=0, fen_per_kwh=0, fen=short))
        total += short
    return total, tuple(parts)


def total_mwh(bill: Bill) -> int:
    return sum(bill.by_band_mwh)
