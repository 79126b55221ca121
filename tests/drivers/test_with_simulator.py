"""Drivers on the independent simulated readers: true wire times, radio and line faults, in virtual time."""

import pytest

from drivers.registry import make_driver
from firmware_sim.chips import Chip, Field
from firmware_sim.feig import FeigReader, FeigSettings
from firmware_sim.line import LineSettings
from firmware_sim.magicrf import MagicRfReader

MS = 1_000_000
FAMILIES = ("feig", "magicrf")


class Rig:
    """One simulated reader and the real driver on its line."""

    def __init__(self, family, seed=1, options=None, settings=None):
        self.family, self.antenna = family, Field(seed)
        if family == "feig":
            line = LineSettings(115_200, "E")
            self.reader = FeigReader(self.antenna, seed=seed, line=line, settings=settings)
        else:
            self.reader = MagicRfReader(self.antenna, seed=seed, line=LineSettings(115_200))
        self.driver, self.now, self.readings = make_driver(family, options or {}), 5_000 * MS, []
        self.carry(self.driver.opened(self.now))

    def carry(self, output):
        self.readings += output.readings
        for frame in output.write:
            self.reader.receive(frame, self.now)

    def run(self, ms):
        end = self.now + ms * MS
        while True:
            due = [at for at in (self.reader.deadline(), self.driver.deadline()) if at is not None]
            at = max(self.now, min(due, default=end + 1))
            if at > end:
                self.now = end
                return
            self.now = at
            data = self.reader.take(at)
            if data:
                self.carry(self.driver.received(data, at))
            elif self.driver.deadline() is not None and self.driver.deadline() <= at:
                self.carry(self.driver.tick(at))

    def chips(self, count, **kind):
        prefix = "e0040100{:08x}" if self.family == "feig" else "e28068940000501200{:06x}"
        chips = [Chip(prefix.format(0x5151 * n + 7), **kind) for n in range(count)]
        for chip in chips:
            self.antenna.place(chip)
        return {chip.uid for chip in chips}

    def passes(self):
        return [item for item in self.readings if type(item).__name__ == "PlatePass"]

    def states(self):
        return [(i.state.value, i.problem) for i in self.readings if type(i).__name__ == "DeviceHealth"]


@pytest.mark.parametrize("family", FAMILIES)
def test_ready_within_a_quarter_of_a_second(family):
    rig = Rig(family)
    rig.run(250)
    assert rig.states() == [("connecting", ""), ("ready", "")]
    assert rig.passes()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("count", [1, 5, 12])
def test_all_chips_are_read_in_complete_independent_passes(family, count):
    rig = Rig(family, seed=count)
    rig.run(200)
    placed = rig.chips(count, read_p=1.0)
    rig.run(3_000)
    seen = [{tag.uid for tag in item.tags} for item in rig.passes() if item.tags]
    assert set().union(*seen) == placed
    trials = [item for item in rig.passes() if item.tags and item.complete and item.independent]
    assert len(trials) >= 15
    assert sum(len(item.tags) for item in trials) >= 0.75 * count * len(trials)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
def test_a_bad_line_costs_passes_but_never_truth(family, fault):
    rig = Rig(family, seed=7)
    rig.run(200)
    placed = rig.chips(4)
    rig.reader.set_faults(fault, rig.now)
    rig.run(6_000)
    seen = {tag.uid for item in rig.passes() for tag in item.tags}
    assert seen == placed
    good = [item for item in rig.passes() if item.complete and item.independent and item.tags]
    assert len(good) >= 20
    rig.reader.set_faults("none", rig.now)
    rig.run(6_000)
    assert rig.states()[-1] == ("ready", "")
    count = len(rig.passes())
    rig.run(1_000)
    assert all(item.complete for item in rig.passes()[count:])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mute_reader_is_told_and_found_again(family):
    rig = Rig(family)
    rig.run(300)
    rig.reader.set_faults("mute", rig.now)
    rig.run(4_000)
    assert rig.states()[-1] == ("fault", "no_answer")
    rig.reader.set_faults("none", rig.now)
    rig.run(6_000)
    assert rig.states()[-1] == ("ready", "")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_controller_reset_is_survived_with_the_right_settings(family):
    rig = Rig(family)
    placed = rig.chips(3, read_p=1.0)
    rig.run(1_000)
    rig.reader.restart(rig.now)
    rig.run(4_000)
    assert rig.states()[-1] == ("ready", "")
    recent = rig.passes()[-5:]
    assert {tag.uid for item in recent for tag in item.tags} == placed
    if family == "magicrf":
        assert rig.reader.registers.power_cdbm == 1500


def test_ont_0_reads_every_chip_each_time():
    rig = Rig("feig", options={"ont": 0}, settings=FeigSettings(only_new=False))
    placed = rig.chips(3, read_p=1.0)
    rig.run(2_000)
    trials = [item for item in rig.passes() if item.complete and item.independent][3:]
    assert len(trials) > 20
    assert {tag.uid for item in trials[-5:] for tag in item.tags} == placed


def test_more_chips_than_one_answer_holds():
    rig = Rig("feig", settings=FeigSettings(tx_buffer=64))
    placed = rig.chips(17, read_p=1.0)
    rig.run(2_000)
    full = [item for item in rig.passes() if {tag.uid for tag in item.tags} == placed]
    assert full
    assert all(item.complete and len(item.raw) > 1 for item in full)


def test_a_reader_left_in_scan_mode():
    rig = Rig("feig", settings=FeigSettings(scan_mode=True))
    rig.chips(2)
    rig.run(1_000)
    assert rig.states()[-1] == ("fault", "scan_mode_on")
    assert not any(item.tags for item in rig.passes())


def test_the_driver_never_breaks_the_silence_that_the_reader_needs():
    rig = Rig("feig")
    rig.chips(5)
    rig.run(3_000)
    assert rig.reader.counters.gap_violations == 0
    assert rig.reader.counters.bad_frames == 0
