"""The DL/T 645 driver on simulated meters: polling, cuts that jump the queue, and everything that breaks on a bus."""

import itertools

import pytest

from drivers.driver import LocalProtocolError
from drivers.registry import make_driver
from edge.domain.field_devices import Operate, Poll, SetClock
from firmware_sim.dlt645 import Meter, MeterBus
from firmware_sim.line import LineFaults, LineSettings

MS = 1_000_000
WALL_NS = 1_767_196_800 * 10**9  # 2026-01-01 00:00 in China: what a simulated meter's clock shows at simulated time 0


def addresses(count):
    return [f"{n:012d}" for n in range(1, count + 1)]


def bus_of(count, **settings):
    names = [f"m{n:02d}" for n in range(1, count + 1)]
    meters = {name: Meter(address, load_w=200.0) for name, address in zip(names, addresses(count), strict=True)}
    option = ",".join(f"{name}={meter.address}" for name, meter in meters.items())
    return MeterBus(meters, **settings), {"meters": option}


def off(point, command_id="c", **more):
    return Operate(point=point, on=False, command_id=command_id, **more)


def on(rig, point, command_id="c", life_ms=5_000):
    return Operate(point=point, on=True, command_id=command_id, expires_mono_ns=rig.now + life_ms * MS)


def last(rig, point, field):
    values = [getattr(r, field) for r in rig.of("MeterReading", point)]
    return [value for value in values if value is not None][-1]


def test_meters_are_read(rig):
    bus, options = bus_of(3)
    meters = rig("dlt645", options, bus)
    meters.run(8_000)
    assert meters.health() == [("connecting", ""), ("ready", "")]
    for point in bus.meters:
        assert last(meters, point, "power_w") == 200.0
        assert last(meters, point, "current_a") == pytest.approx(200 / 228.4 / 0.98, abs=0.001)
        assert last(meters, point, "voltage_v") == 228.4
        assert last(meters, point, "energy_wh") == pytest.approx(12_340, abs=20)
        assert [r.online for r in meters.of("PointHealth", point)] == [True]
    assert [r.model for r in meters.of("DeviceIdentity")] == ["bus of 3"]


def test_a_cut_goes_out_before_the_waiting_polls_and_is_proven_by_what_is_measured(rig):
    bus, options = bus_of(20)
    meters = rig("dlt645", options, bus)
    meters.run(3_000)
    begun = len(meters.asked)
    meters.command(off("m17", "cut-1"))
    meters.run_until(lambda: meters.of("OutputReading"))
    between = [frame for _, frame in meters.asked[begun:]]
    assert b"\x68\x1c\x10" in between[0], "the cut is the next frame on the bus"
    (answer,) = meters.of("OutputReading")
    assert (answer.point, answer.command_id, answer.accepted, answer.on) == ("m17", "cut-1", True, None)
    meters.run_until(lambda: 0 in [r.power_w for r in meters.of("MeterReading", "m17")])
    assert bus.meters["m17"].true_w == 0
    assert bus.meters["m16"].true_w == 200
    print(f"cut: {len(between)} frame(s), proof {meters.now_ms - 8_000:.0f} ms after the command")


def test_how_many_frames_a_cut_waits(rig, capsys):
    """Measured, not timed: frames of others between the command and its frame, over many moments of a polled bus."""
    waits, delays = [], []
    for moment in range(60):
        bus, options = bus_of(20)
        meters = rig("dlt645", options, bus)
        meters.run(4_000 + 37 * moment)
        begun, told = len(meters.asked), meters.now_ms
        meters.command(off(f"m{moment % 20 + 1:02d}"))
        meters.run_until(lambda: any(b"\x68\x1c\x10" in f for _, f in meters.asked[begun:]))  # noqa: B023
        frames = [b"\x68\x1c\x10" in f for _, f in meters.asked[begun:]]
        waits.append(frames.index(True))
        delays.append(meters.asked[begun + frames.index(True)][0] - told)
    with capsys.disabled():
        print(
            f"\n20 meters polled at 2400 baud, 60 cuts: {max(waits)} polls begun before a cut; "
            f"cut on the wire after {sorted(delays)[30]:.0f} ms (median), {max(delays):.0f} ms (worst)"
        )
    assert max(waits) == 0, "no further poll begins once a cut is told"


def test_twenty_cuts_at_once_are_all_sent_before_any_is_repeated_and_all_are_proven(rig):
    bus, options = bus_of(20)
    bus.meters["m03"].dead = True
    meters = rig("dlt645", options, bus)
    meters.run(2_000)
    begun = len(meters.asked)
    points = list(bus.meters)
    for second in range(30):
        for point in points:
            meters.command(off(point, f"{point}-{second}"))
        meters.run(1_000)
    cuts = [f for _, f in meters.asked[begun:] if b"\x68\x1c\x10" in f]
    assert len({cut[4:12] for cut in cuts[:20]}) == 20, "each point once before any twice"
    alive = [point for point in points if point != "m03"]
    assert all(bus.meters[point].true_w == 0 for point in alive)
    for point in alive:
        proofs = [
            ms for ms, r in meters.told if type(r).__name__ == "MeterReading" and r.point == point and r.power_w == 0
        ]
        assert proofs, point
    accepted = {r.point for r in meters.of("OutputReading") if r.accepted}
    assert accepted == set(alive)


@pytest.mark.parametrize("kind", ["dead", "slow"])
def test_one_bad_meter_costs_the_others_no_more_than_its_own_time_out(rig, kind):
    def worst_gap(broken):
        bus, options = bus_of(5)
        if broken:
            meter = bus.meters["m02"]
            meter.dead, meter.slow_ns = kind == "dead", 3_000 * MS if kind == "slow" else 0
        meters = rig("dlt645", options, bus)
        meters.run(90_000)
        times = [ms for ms, r in meters.told if type(r).__name__ == "MeterReading" and r.point == "m01" and r.power_w]
        return max(b - a for a, b in itertools.pairwise(times)), meters

    healthy, _ = worst_gap(broken=False)
    sick, meters = worst_gap(broken=True)
    time_out_ms = 900
    assert sick <= healthy + time_out_ms
    assert meters.of("PointHealth", "m02")[0].online is False
    asked_late = [ms for ms, f in meters.asked if ms > 65_000 and b"\x02\0\0\0\0\0\x68\x11" in f]
    assert len(asked_late) <= 4, "a dead meter is asked rarely"


def test_a_meter_that_comes_back_is_told_and_read_at_once(rig):
    bus, options = bus_of(2)
    bus.meters["m02"].dead = True
    meters = rig("dlt645", options | {"dead_poll_s": 5}, bus)
    meters.run(20_000)
    bus.meters["m02"].dead = False
    meters.run(7_000)
    assert [r.online for r in meters.of("PointHealth", "m02")] == [False, True]
    assert last(meters, "m02", "power_w") == 200.0


def test_nobody_answers(rig):
    bus, options = bus_of(2)
    for meter in bus.meters.values():
        meter.dead = True
    meters = rig("dlt645", options, bus)
    meters.run(20_000)
    assert meters.health()[-1] == ("fault", "no_answer")


def test_wrong_parity_is_unreadable(rig):
    bus, options = bus_of(2)
    bus.wrong_parity = True
    meters = rig("dlt645", options, bus)
    meters.run(20_000)
    assert meters.health()[-1] == ("fault", "unreadable")
    assert meters.of("MeterReading") == []


def test_an_echo_is_recognised_and_is_no_answer(rig):
    bus, options = bus_of(2)
    bus.echo = True
    bus.meters["m02"].dead = True
    meters = rig("dlt645", options, bus)
    meters.run(20_000)
    meters.command(off("m02"))
    meters.run(3_000)
    assert last(meters, "m01", "power_w") == 200.0
    assert meters.of("OutputReading", "m02") == [], "its own request heard back accepts nothing"
    assert meters.health()[-1] == ("ready", "")
    assert meters.driver.echoes > 10


@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
def test_a_bad_line_delays_but_never_lies(rig, fault):
    bus, options = bus_of(4, seed=3)
    meters = rig("dlt645", options, bus)
    bus.set_faults(fault, meters.now)
    meters.run(30_000)
    meters.command(off("m03"))
    for n in range(10):
        meters.command(off("m03", f"again-{n}"))
        meters.run(1_000)
    assert not bus.meters["m03"].closed
    # An eight-bit sum passes one damaged frame in 256; none did with these seeds.
    for point in ("m01", "m02", "m04"):
        assert {r.power_w for r in meters.of("MeterReading", point)} <= {None, 200.0}
        assert 200.0 in {r.power_w for r in meters.of("MeterReading", point)}


def test_two_meters_with_one_address_destroy_each_other(rig):
    bus, options = bus_of(2)
    bus.meters["twin"] = Meter("000000000001", load_w=77.0, voltage_v=231.9)
    meters = rig("dlt645", options, bus)
    meters.run(20_000)
    assert bus.collisions > 5
    assert [r.online for r in meters.of("PointHealth", "m01")] == [False]
    assert last(meters, "m02", "power_w") == 200.0


def test_answers_that_nobody_asked_for_are_told(rig, book):
    bus, options = bus_of(1)
    meters = rig("dlt645", options, bus)
    foreign = book.dlt645_frame("000000000009", 0x91, bytes.fromhex("0000030200 0000".replace(" ", "")))
    for _ in range(8):
        meters.run(1_000)
        meters.carry(meters.driver.received(foreign, meters.now))
    meters.run(2_000)
    assert ("fault", "stray_answers") in meters.health()


def test_welded_and_lying_contacts_are_not_believed(rig):
    bus, options = bus_of(2)
    bus.meters["m01"].welded = True
    bus.meters["m02"].deaf_relay = True
    meters = rig("dlt645", options, bus)
    meters.run(2_000)
    for point in ("m01", "m02"):
        meters.command(off(point))
    meters.run(4_000)
    for point in ("m01", "m02"):
        (answer,) = meters.of("OutputReading", point)
        assert (answer.accepted, answer.on) == (True, None)
        assert last(meters, point, "power_w") == 200.0


def test_a_wrong_clock_does_not_disable_the_cut(rig):
    """A meter whose clock runs two years ahead refuses what is valid until our tomorrow, and takes the far date."""
    bus, options = bus_of(1)
    bus.meters["m01"].clock_offset_s = 2 * 365 * 86_400
    meters = rig("dlt645", options, bus)
    meters.command(SetClock(WALL_NS + meters.now))
    meters.run(2_000)
    meters.command(on(meters, "m01", "close"))
    meters.run(1_000)
    assert [(r.command_id, r.accepted, r.detail) for r in meters.of("OutputReading")] == [
        ("close", False, "other_error")
    ]
    meters.command(off("m01"))
    meters.run(2_000)
    assert not bus.meters["m01"].closed


def test_a_meter_that_refuses_the_far_date_gets_one_by_the_clock(rig):
    bus, options = bus_of(1)
    bus.meters["m01"].far_dates = False
    meters = rig("dlt645", options, bus)
    meters.command(SetClock(WALL_NS + meters.now))
    meters.run(2_000)
    meters.command(off("m01"))
    meters.run(3_000)
    assert [r.accepted for r in meters.of("OutputReading")] == [False, True]
    assert not bus.meters["m01"].closed


def test_closing_needs_a_clock_a_life_time_and_no_cut(rig):
    bus, options = bus_of(1)
    bus.meters["m01"].closed = False
    meters = rig("dlt645", options, bus)
    meters.run(2_000)
    meters.command(on(meters, "m01", "no-clock"))
    meters.run(500)
    meters.command(SetClock(WALL_NS + meters.now))
    meters.command(Operate(point="m01", on=True, command_id="no-life"))
    meters.run(500)
    meters.command(on(meters, "m01", "cut-away"))
    meters.command(off("m01", "cut"))
    meters.command(on(meters, "m01", "too-soon"))
    meters.run(2_000)
    answers = {r.command_id: (r.accepted, r.detail) for r in meters.of("OutputReading")}
    assert answers == {
        "no-clock": (False, "the clock is not set"),
        "no-life": (False, "expired"),
        "too-soon": (False, "a cut is on its way"),
        "cut": (True, ""),
    }
    assert not bus.meters["m01"].closed
    meters.command(on(meters, "m01", "good"))
    meters.run(1_000)
    assert bus.meters["m01"].closed
    assert meters.of("OutputReading")[-1].accepted is True


def test_a_command_that_came_too_late_is_not_sent(rig):
    bus, options = bus_of(1)
    bus.meters["m01"].dead = True
    meters = rig("dlt645", options, bus)
    meters.run(100)
    meters.command(off("m01", expires_mono_ns=meters.now + 10 * MS))
    meters.run(3_000)
    assert not any(b"\x68\x1c\x10" in f for _, f in meters.asked)
    assert meters.driver.expired == 1


@pytest.mark.parametrize(
    ("password", "accepted", "detail"), [("123456", True, ""), ("654321", False, "password_or_unauthorised")]
)
def test_the_password_goes_low_byte_first(rig, password, accepted, detail):
    bus, options = bus_of(1)
    bus.meters["m01"].password = bytes.fromhex("563412")
    meters = rig("dlt645", options | {"password": password}, bus)
    meters.command(off("m01"))
    meters.run(2_000)
    answer = meters.of("OutputReading")[0]
    assert (answer.accepted, answer.detail) == (accepted, detail)


def test_the_short_form_of_a_switch_request(rig):
    bus, options = bus_of(1)
    meters = rig("dlt645", options | {"short_control": True}, bus)
    meters.command(off("m01"))
    meters.run(2_000)
    assert any(b"\x68\x1c\x09" in f for _, f in meters.asked)
    assert not bus.meters["m01"].closed


def test_a_wildcard_finds_the_only_meter(rig):
    bus, _ = bus_of(1)
    meters = rig("dlt645", {"meters": "port=aaaaaaaaaaaa"}, bus)
    meters.run(2_000)
    assert last(meters, "port", "power_w") == 200.0


def test_blocks_of_a_single_phase_meter(rig):
    bus, options = bus_of(1)
    meters = rig("dlt645", options | {"fast": "powers,currents", "slow": "voltages"}, bus)
    meters.run(3_000)
    assert last(meters, "m01", "power_w") == 200.0
    assert last(meters, "m01", "current_a") == pytest.approx(0.894, abs=0.001)
    assert last(meters, "m01", "voltage_v") == 228.4


def test_three_phases_fold_into_the_largest_current(rig, book):
    driver = make_driver("dlt645", {"meters": "p=000000000001", "fast": "currents", "slow": ""})
    driver.opened(0)
    answer = book.dlt645_frame("000000000001", 0x91, bytes.fromhex("00ff0202 100000 500080 ffffff".replace(" ", "")))
    (reading,) = [r for r in driver.received(answer, 50 * MS).readings if type(r).__name__ == "MeterReading"]
    assert reading.current_a == -0.05, "reverse current: a sign, and not 800 A"


def test_meters_of_the_1997_edition_are_told_apart_and_never_relied_on(rig):
    bus, options = bus_of(4)
    bus.meters["m01"].edition = "mixed"
    bus.meters["m02"].edition = "1997"
    bus.meters["m04"].dead = True
    meters = rig("dlt645", options, bus)
    meters.run(25_000)
    assert "edition_mixed" in meters.of("PointHealth", "m01")[-1].detail
    assert meters.of("MeterReading", "m01") == []
    assert "edition_1997" in meters.of("PointHealth", "m02")[-1].detail
    assert meters.of("PointHealth", "m02")[-1].online is True
    assert [r.online for r in meters.of("PointHealth", "m04")] == [False]
    assert last(meters, "m02", "power_w") == 200.0
    assert last(meters, "m02", "current_a") == 0.89
    assert last(meters, "m02", "voltage_v") == 228
    assert last(meters, "m02", "energy_wh") == pytest.approx(12_340, abs=20)
    assert last(meters, "m03", "power_w") == 200.0
    meters.command(off("m02"))
    meters.run(1_000)
    (answer,) = meters.of("OutputReading", "m02")
    assert answer.accepted is False
    assert "edition_1997" in answer.detail


def test_a_poll_command_reads_everything_of_the_point_at_once(rig):
    bus, options = bus_of(3)
    meters = rig("dlt645", options | {"poll_ms": 60_000}, bus)
    meters.run(5_000)
    count = len(meters.of("MeterReading", "m02"))
    meters.command(Poll("m02"))
    meters.run(2_000)
    assert len(meters.of("MeterReading", "m02")) - count == 4
    others = len(meters.of("MeterReading", "m01"))
    meters.command(Poll())
    meters.run(4_000)
    assert len(meters.of("MeterReading", "m01")) - others == 4


def test_a_closed_link_forgets_what_was_waiting(rig):
    bus, options = bus_of(2)
    meters = rig("dlt645", options, bus)
    meters.run(1_000)
    meters.command(off("m01"))
    meters.carry(meters.driver.closed(meters.now))
    bus.line.cut()
    assert meters.driver.deadline() is None
    meters.command(off("m01", "while closed"))
    meters.run(5_000)
    meters.carry(meters.driver.opened(meters.now))
    meters.run(3_000)
    assert bus.meters["m01"].closed, "an old command is not carried out after the link came back"
    assert meters.health()[-2:] == [("connecting", ""), ("ready", "")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"meters": "a=1"}, "POINT=ADDRESS"),
        ({"meters": "a=000000000001,a=000000000002"}, "each point"),
        ({"meters": "a=000000000001,b=aaaaaaaaaaaa"}, "wildcard"),
        ({"meters": ""}, "POINT=ADDRESS"),
        ({"fast": "power,speed"}, "words of power"),
        ({"password": "12345"}, "6 digits"),
        ({"baud": 5}, "from 300"),
        ({"nosuch": 1}, "known options"),
    ],
)
def test_wrong_options_name_what_is_allowed(options, said):
    with pytest.raises(LocalProtocolError, match=said):
        make_driver("dlt645", options)


def test_a_line_that_never_falls_silent_is_survived(rig):
    bus, options = bus_of(2, line=LineSettings(9600, "E"))
    meters = rig("dlt645", options | {"baud": 9600}, bus)
    bus.set_faults(LineFaults(noise=True, noise_p=1.0, flip_p=0.02), meters.now)
    meters.run(20_000)
    bus.set_faults("none", meters.now)
    meters.run(70_000)
    assert meters.health()[-1] == ("ready", "")
    assert last(meters, "m02", "power_w") == 200.0
