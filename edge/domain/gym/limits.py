"""Heart-rate limits of one person in training: warn, alarm, clear, and the courage to say "unknown".

A limit is a prescription: the ceiling that staff set for this person wins over every table; beta-blockers switch the
limits off, for effort is then judged by feeling (RPE). The hard part is to believe a pulse just as far as it deserves:
a strap without contact, a leap that no heart makes, a pulse that follows the steps. What is not known is shown as
unknown, never as normal. A user would notice a mistake as a calm page beside a person in need, or as a page that cries
so often that nobody looks. Numbers: ``gym-domain.md`` section 8; a clinic signs them off.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.gym.settings import LimitSettings

NS_PER_S = 1_000_000_000
#: The samples that an alarm carries: two minutes, at up to five a second.
KEPT_NS = 120_000_000_000
KEPT_SAMPLES = 600
#: A leap is an artefact, unless so many samples in a row agree with it.
AGREEING = 4
#: A pulse within this of the cadence may be the cadence.
LOCK_BPM = 2
MINUTE_NS = 60 * NS_PER_S


class Level(StrEnum):
    """OFF: limits do not apply (beta-blocker, or nobody to whom they could). DOUBTFUL: a pulse that equals the cadence.
    STALE after 5 s without a good sample, UNKNOWN after 15 s or before the first one."""

    OFF = "off"
    UNKNOWN = "unknown"
    STALE = "stale"
    DOUBTFUL = "doubtful"
    OK = "ok"
    WARN = "warn"
    ALARM = "alarm"


class Ceiling(msgspec.Struct, frozen=True, array_like=True):
    """``source``: personal (staff), table (by age), none (nothing is known of the person), rpe (beta-blocker)."""

    source: str
    ceiling_bpm: int = 0
    max_bpm: int = 0

    @property
    def applies(self) -> bool:
        return self.ceiling_bpm > 0


class Prescription(msgspec.Struct, frozen=True, kw_only=True):
    """What staff have set for one person; 0 = not set. ``by`` and ``day`` say who and when."""

    birth_year: int = 0
    rest_bpm: int = 0
    ceiling_bpm: int = 0
    max_bpm: int = 0
    beta_blocker: bool = False
    by: str = ""
    day: str = ""


class Watch(msgspec.Struct):
    """``samples`` are (monotonic ns, bpm) of believed beats, oldest first. ``*_ns`` since when, None not. ``peak`` is
    what the level has reached since it was last OK."""

    level: Level = Level.UNKNOWN
    samples: list[tuple[int, int]] = []
    over_ns: int | None = None
    far_over_ns: int | None = None
    over_max_ns: int | None = None
    under_ns: int | None = None
    locked_ns: int | None = None
    odd: list[int] = []
    rejected: int = 0
    began_ns: int = 0
    judged: Level = Level.OK


def ceiling_of(person: Prescription | None, year: int, settings: LimitSettings) -> Ceiling:
    """The limits of a person in ``year``. Age from the year of birth; maximum is the lower of 208 - 0.7 x age (Tanaka)
    and 220 - age; the table ceiling is a share of the reserve above the resting pulse (Karvonen). No table
    cuts below what staff have set."""
    if person is None:
        return Ceiling("none")
    if person.beta_blocker:
        return Ceiling("rpe")
    table_max = 0
    if person.birth_year:
        age = max(0, year - person.birth_year)
        table_max = min(208 - (7 * age + 5) // 10, 220 - age)
    max_bpm = person.max_bpm or table_max
    if person.ceiling_bpm:
        least = person.ceiling_bpm + 2 * settings.alarm_over_bpm
        return Ceiling("personal", person.ceiling_bpm, person.max_bpm or max(table_max, least))
    if not max_bpm:
        return Ceiling("none")
    rest = person.rest_bpm or settings.rest_bpm
    return Ceiling("table", rest + max(0, max_bpm - rest) * settings.reserve_pct // 100, max_bpm)


def beat(
    watch: Watch, bpm: int | None, *, contact: bool, cadence: float | None, now_ns: int, settings: LimitSettings
) -> bool:
    """Take one sample; True when it is believed."""
    if bpm is None or not contact or not settings.low_bpm <= bpm <= settings.high_bpm:
        watch.rejected += bpm is not None and bpm != 0
        return False
    if watch.samples and _leaps(watch, bpm, now_ns, settings):
        watch.rejected += 1
        return False
    watch.odd = []
    watch.samples.append((now_ns, bpm))
    while watch.samples[0][0] < now_ns - KEPT_NS or len(watch.samples) > KEPT_SAMPLES:
        watch.samples.pop(0)
    if cadence is not None and cadence > 0 and abs(bpm - cadence) <= LOCK_BPM:
        watch.locked_ns = watch.locked_ns or now_ns
    else:
        watch.locked_ns = None
    return True


def judge(watch: Watch, ceiling: Ceiling, now_ns: int, settings: LimitSettings, *, fresh: bool = False) -> Level:
    """The level now. ``fresh``: a believed sample has just come, and is weighed; otherwise only time has passed."""
    if not ceiling.applies:
        watch.level = Level.OFF
        return watch.level
    if fresh:
        _weigh(watch, ceiling, now_ns, settings)
    watch.level = _freshness(watch, now_ns, settings) or watch.judged
    return watch.level


def due_ns(watch: Watch, settings: LimitSettings) -> int | None:
    """When silence alone changes the level."""
    if watch.level in {Level.OFF, Level.UNKNOWN}:
        return None
    last_ns = watch.samples[-1][0] if watch.samples else watch.began_ns
    wait_s = settings.unknown_s if watch.level is Level.STALE else settings.stale_s
    return last_ns + wait_s * NS_PER_S


def rises_fast(watch: Watch, settings: LimitSettings) -> bool:
    """More than the settings' rise within the last minute."""
    if not watch.samples:
        return False
    now_ns, bpm = watch.samples[-1]
    lowest = min(value for at_ns, value in watch.samples if at_ns >= now_ns - MINUTE_NS)
    return bpm - lowest > settings.rise_bpm_per_min


def recovery_bpm(watch: Watch, stopped_ns: int) -> int | None:
    """By how much the pulse fell in the first minute after effort ended; None when that is not known."""
    before = [value for at_ns, value in watch.samples if stopped_ns - 5 * NS_PER_S <= at_ns <= stopped_ns]
    lowest, highest = stopped_ns + MINUTE_NS - 5 * NS_PER_S, stopped_ns + MINUTE_NS + 5 * NS_PER_S
    after = [value for at_ns, value in watch.samples if lowest <= at_ns <= highest]
    return before[-1] - after[-1] if before and after else None


def _leaps(watch: Watch, bpm: int, now_ns: int, settings: LimitSettings) -> bool:
    """No heart changes so fast; but one that keeps saying so is believed in the end."""
    last_ns, last = watch.samples[-1]
    seconds = max(1.0, (now_ns - last_ns) / NS_PER_S)
    if seconds > settings.unknown_s or abs(bpm - last) <= settings.jump_bpm_per_s * seconds:
        return False
    watch.odd = [*watch.odd, bpm][-AGREEING:]
    return not (len(watch.odd) >= AGREEING and max(watch.odd) - min(watch.odd) <= settings.jump_bpm_per_s)


def _freshness(watch: Watch, now_ns: int, settings: LimitSettings) -> Level | None:
    """STALE, UNKNOWN or DOUBTFUL; None when the pulse can be judged."""
    if not watch.samples:
        return Level.UNKNOWN
    silent_ns = now_ns - watch.samples[-1][0]
    if silent_ns >= settings.unknown_s * NS_PER_S:
        return Level.UNKNOWN
    if silent_ns >= settings.stale_s * NS_PER_S:
        return Level.STALE
    if watch.locked_ns is not None and watch.samples[-1][0] - watch.locked_ns >= settings.cadence_lock_s * NS_PER_S:
        return Level.DOUBTFUL
    return None


def _weigh(watch: Watch, ceiling: Ceiling, now_ns: int, settings: LimitSettings) -> None:
    """Hysteresis: how long the pulse has been above, far above, above all limits, or well below. A strap that speaks
    every ten seconds is stale in between, and its beats are weighed all the same; only a longer silence begins anew."""
    if len(watch.samples) > 1 and now_ns - watch.samples[-2][0] >= settings.unknown_s * NS_PER_S:
        watch.over_ns = watch.far_over_ns = watch.over_max_ns = watch.under_ns = None
    bpm = watch.samples[-1][1]
    watch.over_ns = _since(watch.over_ns, now_ns, holds=bpm > ceiling.ceiling_bpm)
    watch.far_over_ns = _since(watch.far_over_ns, now_ns, holds=bpm > ceiling.ceiling_bpm + settings.alarm_over_bpm)
    watch.over_max_ns = _since(watch.over_max_ns, now_ns, holds=bpm > ceiling.max_bpm)
    watch.under_ns = _since(watch.under_ns, now_ns, holds=bpm <= ceiling.ceiling_bpm - settings.clear_under_bpm)
    far = _lasts(watch.far_over_ns, settings.alarm_s, now_ns) or _lasts(watch.over_max_ns, settings.max_s, now_ns)
    if far:
        watch.judged = Level.ALARM
    elif watch.judged is Level.OK and _lasts(watch.over_ns, settings.warn_s, now_ns):
        watch.judged = Level.WARN
    elif watch.judged is not Level.OK and _lasts(watch.under_ns, settings.clear_s, now_ns):
        watch.judged = Level.OK


def _since(since_ns: int | None, now_ns: int, *, holds: bool) -> int | None:
    if not holds:
        return None
    return now_ns if since_ns is None else since_ns


def _lasts(since_ns: int | None, seconds: int, now_ns: int) -> bool:
    return since_ns is not None and now_ns - since_ns >= seconds * NS_PER_S
