"""The fake server's journal and the pack beside it: a start gives what was synced, however often it was read before."""

from __future__ import annotations

import random

import pytest

from firmware_sim.influx_fake import bucket
from firmware_sim.influx_fake.bucket import Bucket
from firmware_sim.influx_fake.line_parser import Point


@pytest.mark.parametrize("seed", range(5))
def test_lives_with_packs_hold_what_one_life_holds(tmp_path, monkeypatch, seed):
    monkeypatch.setattr(bucket, "PACK_BYTES", 500)
    rng = random.Random(seed)
    journal, one = tmp_path / "journal", Bucket()
    for _ in range(12):
        life = Bucket(journal=journal)
        assert (life.values, life.writes, life.changed) == (one.values, one.writes, one.changed)
        assert life.recovered == sum(one.writes.values())
        for _ in range(rng.randrange(4)):
            points = [
                Point("m", (("device", rng.choice("ab")),), {"power_w": float(rng.randrange(3))}, rng.randrange(9))
                for _ in range(rng.randrange(1, 9))
            ]
            assert life.write(points, 0.0) is one.write(points, 0.0) is None
        life.sync(1.0)
        life.close()
        if rng.random() < 0.5:  # it was killed in the middle of a line
            with journal.open("a") as file:
                file.write('["m", [["dev')
    assert journal.with_name("journal.pack").exists()
    assert one.changed


def test_a_field_that_was_a_number_stays_one_behind_a_pack(tmp_path, monkeypatch):
    monkeypatch.setattr(bucket, "PACK_BYTES", 1)
    for life in range(3):
        kept = Bucket(journal=tmp_path / "journal")
        refused = kept.write([Point("m", (), {"power_w": True}, 5)], 0.0) if life else None
        assert (refused is not None) == bool(life)
        kept.write([Point("m", (), {"power_w": 1.0}, life)], 0.0)
        kept.sync(1.0)
        kept.close()
