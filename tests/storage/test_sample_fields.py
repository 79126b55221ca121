"""What becomes a sample and what must not."""

from __future__ import annotations

import pytest

from edge.domain.field_devices import CardReading, KeypadReading
from edge.domain.machine_readings import MachineReading
from edge.storage.sample_fields import NOT_SAMPLED, PERSONAL, is_left_out, plan_of, reading_types, unit_of
from edge.storage.sample_model import SeriesKind


def test_every_reading_is_sampled_or_named_as_not_sampled():
    silent = [kind.__name__ for kind in reading_types() if not plan_of(kind).fields and not is_left_out(kind)]
    assert silent == [], "name them in NOT_SAMPLED or PERSONAL of edge/storage/sample_fields.py, or give them fields"


def test_what_is_named_as_not_sampled_exists():
    tags = {kind.__struct_config__.tag for kind in reading_types()}
    assert tags >= NOT_SAMPLED | PERSONAL


@pytest.mark.parametrize("kind", [CardReading, KeypadReading])
def test_secrets_are_no_samples(kind):
    assert plan_of(kind).fields == ()


def test_nothing_of_a_persons_body_is_a_sample_whatever_feels_it():
    """Decision 0009: also the hand grips of a machine, whose other numbers are samples."""
    body = {"bpm", "heart", "pulse", "systolic", "diastolic", "arterial", "weight", "bmi", "impedance", "height", "rr"}
    machine = {field.quantity for field in plan_of(MachineReading).fields}
    assert machine >= {"power_w", "speed_km_h", "distance_m"}
    for kind in reading_types():
        for field in plan_of(kind).fields:
            assert not body & set(field.quantity.split("_")), f"{kind.__name__}.{field.quantity}"


def test_no_field_is_an_id_or_free_text():
    for kind in reading_types():
        for field in plan_of(kind).fields:
            assert not field.quantity.endswith(("_id", "_ns", "detail", "text", "card", "keys", "member"))


def test_units_come_from_names():
    found = {name: unit_of(name) for name in ("power_w", "power_factor", "residual_ma", "speed_km_h", "frames", "w")}
    assert found == {
        "power_w": "W",
        "power_factor": "",
        "residual_ma": "mA",
        "speed_km_h": "km/h",
        "frames": "",
        "w": "",
    }


def test_quantities_of_a_type_do_not_clash():
    for kind in reading_types():
        names = [field.quantity for field in plan_of(kind).fields]
        assert len(names) == len(set(names))
        assert all(not field.unit for field in plan_of(kind).fields if field.kind is SeriesKind.STATE)
