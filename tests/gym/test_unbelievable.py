"""No word breaks the kernel: every number of every message as NaN, infinite, negative or huge, from any point."""

from __future__ import annotations

import math
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.domain.devices import DeviceReading
from edge.domain.gym.rows import ROW_TYPES
from edge.domain.kernel import Put, Show
from edge.domain.machine_readings import MachineMessage

HORRORS = (math.nan, math.inf, -math.inf, -1.0, -1e300, 1e300, 0.0)
WHOLE = (-1, 0, 2**31, 2**63, -(2**63) - 1, 10**30)
PLACES = {"gate": ("gates", "g1"), "blood_pressure": ("cuff", "k1"), "weight": ("scale", "k1"),
          "heart_rate": ("belt", "e1"), "usage_count": ("row", "o1")}  # fmt: skip
KINDS = get_args(MachineMessage)


def value_of(kind):
    """Horrors of a field's type; None where it may be."""
    words = [kind] if not isinstance(kind, msgspec.inspect.UnionType) else list(kind.types)
    found = []
    for one in words:
        match one:
            case msgspec.inspect.FloatType():
                found.append(st.sampled_from(HORRORS))
            case msgspec.inspect.IntType():
                found.append(st.sampled_from(WHOLE))
            case msgspec.inspect.BoolType():
                found.append(st.booleans())
            case msgspec.inspect.NoneType():
                found.append(st.none())
            case msgspec.inspect.EnumType(cls=cls):
                found.append(st.sampled_from(list(cls)))
            case msgspec.inspect.StrType():
                found.append(st.sampled_from(("", "x", "\x00", "é" * 5000)))
            case _:
                found.append(st.just(()))
    return st.one_of(found)


@st.composite
def horrors(draw):
    kind = draw(st.sampled_from(KINDS))
    info = msgspec.inspect.type_info(kind)
    device, point = PLACES.get(info.tag, ("row", "e1"))
    facts = {one.name: draw(value_of(one.type)) for one in info.fields if one.name not in {"point", "retained"}}
    where = draw(st.sampled_from(((device, point), ("nobody", "nowhere"))))
    return DeviceReading(where[0], 1, kind(point=where[1], **facts))


def storable(row):
    """As SQLite takes it: whole numbers of 64 bits, no NaN where a number must be."""
    for name in row.__struct_fields__:
        value = getattr(row, name)
        assert not isinstance(value, float) or math.isfinite(value), (type(row).__name__, name, value)
        assert not isinstance(value, int) or -(2**63) <= value < 2**63, (type(row).__name__, name, value)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=st.lists(horrors(), min_size=1, max_size=25))
def test_no_word_breaks_the_kernel(kit, words):
    gym = kit.new()
    gym.person("anna", "c1", birth_year=1950, ceiling_bpm=110)
    gym.card("k1", "c1")
    for name in ("e1", "t1"):
        gym.stand(name)
        gym.train(name, 5, bpm=100)
    for word in words:
        for effect in gym.give(word):
            if isinstance(effect, Put):
                storable(effect.row)
            if isinstance(effect, Show):
                msgspec.json.encode(effect.view)
        gym.run(1, each=lambda: gym.walk("e1"))
    assert set(gym.rows.tables) <= set(ROW_TYPES)
    msgspec.msgpack.encode(gym.world)
    totals = gym.asset("e1").workout.totals if gym.asset("e1").workout else None
    assert totals is None or all(math.isfinite(getattr(totals, name)) for name in totals.__struct_fields__)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300, -5.0])
def test_an_unbelievable_word_does_not_stop_the_counting(gym, value):
    gym.stand("t1")
    gym.train("t1", 30)
    gym.says("t1", distance_m=value, power_w=value, elapsed_s=value)
    gym.train("t1", 30)
    assert gym.asset("t1").workout.totals.distance_m == pytest.approx(100, abs=5)
    assert gym.asset("t1").workout.totals.peak_power_w == 0.0
