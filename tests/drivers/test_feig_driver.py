"""The FEIG driver against a scripted reader, in simulated time."""

from itertools import pairwise

import pytest

from drivers.driver import LocalProtocolError
from drivers.feig.driver import FeigDriver
from edge.domain.devices import DeviceState, FieldOn, ResidualPass

A, B, C = "e00401001234abcd", "e004010000000001", "e004010000000002"
HANDSHAKE = ["52", "65", "66", "66", "6a"]
VERSION = bytes.fromhex("01020000210008")


class Reader:
    """Answers by script: ``inventories`` are consumed one by one, then ``then`` again and again. ``replace`` maps a
    command to what comes instead: a status, raw bytes, or None for silence."""

    def __init__(self, witness, *inventories, then=(0x01, b"")):
        self.witness, self.inventories, self.then = witness, list(inventories), then
        self.replace, self.address, self.delay_ms = {}, 0, 3

    def __call__(self, request, now_ms):
        assert self.witness.feig_valid(request, from_host=True)
        at = 3 if request[0] == 2 else 1
        command, data, advanced = request[at + 1], request[at + 2 : -2], at == 3
        if command in self.replace:
            instead = self.replace[command]
            if instead is None:
                return []
            status, told = (None, instead) if isinstance(instead, bytes) else (instead, b"")
        elif command == 0xB0:
            step = self.inventories.pop(0) if self.inventories else self.then
            if step is None:
                return []
            status, told = (None, step) if isinstance(step, bytes) else step
        else:
            status, told = 0, {0x65: VERSION, 0x66: self._info(data)}.get(command, b"")
        if status is None:
            return [(self.delay_ms, told)]
        frame = self.witness.feig_reply(command, status, told, address=self.address, advanced=advanced)
        return [(17 if command == 0x69 else self.delay_ms, frame)]

    @staticmethod
    def _info(data):
        return bytes.fromhex("12345678") + bytes(12) if data == b"\x80" else VERSION + bytes.fromhex("00ff00ff")


def commands(bench):
    return [frame[4 if frame[0] == 2 else 2 :][:1].hex() for frame in bench.sent]


def sets(witness, *uids):
    return (0x00, witness.feig_sets(*uids))


def uids(item):
    return [tag.uid for tag in item.tags]


def healths(bench):
    return [(item.state.value, item.problem) for item in bench.of("DeviceHealth")]


@pytest.fixture
def start(bench, witness):
    """An open bench whose reader has the given inventories."""

    def make(*inventories, options=None, then=(0x01, b""), **replace):
        reader = Reader(witness, *inventories, then=then)
        reader.replace = {int(name[1:], 16): value for name, value in replace.items()}
        made = bench(FeigDriver(options or {}), reader)
        made.open()
        return made

    return make


# --- handshake


def test_the_handshake_names_the_reader_before_the_first_pass(start):
    bench = start()
    bench.run(100)
    assert commands(bench)[:7] == [*HANDSHAKE, "69", "b0"]
    kinds = [type(reading).__name__ for reading in bench.readings]
    assert kinds[:4] == ["DeviceHealth", "DeviceIdentity", "DeviceHealth", "PlatePass"]
    identity = bench.readings[1]
    assert (identity.protocol, identity.model, identity.firmware) == ("feig", "OBID SW-TYPE 21", "01.02.00")
    assert identity.serial == "12345678"
    assert healths(bench) == [("connecting", ""), ("ready", "")]


def test_five_milliseconds_of_silence_before_each_request(start):
    bench = start(then=(0x01, b""))
    bench.run(300)
    reply_ms = {"69": 17}
    for number in range(1, len(bench.sent)):
        before = commands(bench)[number - 1]
        heard_ms = bench.sent_ms[number - 1] + reply_ms.get(before, 3)
        assert bench.sent_ms[number] >= heard_ms + 5 - 1e-6


def test_an_old_reader_without_device_id_has_no_serial(bench, witness):
    reader = Reader(witness)
    plain = reader._info
    reader._info = lambda data: plain(data) if data != b"\x80" else b""
    made = bench(FeigDriver({}), reader)
    made.open()
    made.run(100)
    assert made.of("DeviceIdentity")[0].serial is None


@pytest.mark.parametrize("command", ["52", "65", "66", "6a"])
def test_a_silent_step_is_asked_three_times_then_with_growing_pauses(start, command):
    bench = start(**{f"x{command}": None})
    bench.run(20_000)
    assert not bench.of("DeviceIdentity")
    assert healths(bench) == [("connecting", ""), ("fault", "no_answer")]
    assert "38400 8E1" in bench.of("DeviceHealth")[-1].detail
    begun = [at for at, name in zip(bench.sent_ms, commands(bench), strict=True) if name == command]
    assert [round(b - a) for a, b in pairwise(begun[:3])] == [300, 300]
    rounds = begun[::3]
    pauses = [b - a for a, b in pairwise(rounds)]
    assert pauses == sorted(pauses)
    assert pauses[-1] <= 3 * 300 + 5000 + 100
    assert bench.driver.deadline() is not None


def test_a_reader_that_comes_late_is_found(start):
    bench = start(x52=None)
    bench.run(5_000)
    bench.device.replace.clear()
    bench.run(5_500)
    assert healths(bench)[-1] == ("ready", "")


def test_garbage_in_the_handshake_points_at_the_line_settings(start):
    bench = start(x52=b"\x86\x00\xd2\x80\x7c\xa8")
    bench.run(1_000)
    health = bench.of("DeviceHealth")[-1]
    assert (health.state, health.problem) == (DeviceState.FAULT, "unreadable")
    assert "parity" in health.detail


def test_commands_in_the_pause_do_not_hasten_the_next_try(start):
    bench = start(x52=None)
    bench.run(1_000)
    before = len(bench.sent)
    for _ in range(200):
        bench.command(FieldOn(on=True))
    assert len(bench.sent) == before


def test_a_refused_step_is_told_with_its_status(start):
    bench = start(x65=0x0E)
    bench.run(500)
    health = bench.of("DeviceHealth")[-1]
    assert (health.problem, "0e" in health.detail) == ("reader_status", True)


# --- passes


def test_a_statistical_pass_is_a_reset_and_an_inventory(start, witness):
    bench = start(sets(witness, A, B), sets(witness, A))
    first, second = bench.run_passes(2)
    assert uids(first) == [A, B]
    assert (first.complete, first.independent, first.residual) == (True, True, False)
    assert (first.status, first.status_name, first.empty_passes) == (0, "ok", 0)
    assert first.raw == (witness.feig_reply(0xB0, 0, witness.feig_sets(A, B)),)
    assert first.started_ns < first.ended_ns <= second.started_ns
    assert commands(bench)[5:9] == ["69", "b0", "69", "b0"]


def test_with_ont_0_the_reader_resets_itself(start, witness):
    bench = start(sets(witness, A), sets(witness, A), options={"ont": 0})
    bench.run(100)
    assert commands(bench)[5:9] == ["69", "b0", "b0", "b0"]
    assert all(item.independent and item.complete for item in bench.passes())


def test_more_data_is_fetched_and_each_chip_counts_once(start, witness):
    more = (0x94, witness.feig_sets(A, B))
    bench = start(more, (0x94, witness.feig_sets(B)), sets(witness, C))
    (item,) = bench.run_passes(1)
    assert uids(item) == [A, B, C]
    assert item.complete
    assert len(item.raw) == 3
    assert [frame[4] for frame in bench.sent if frame[2] == 0xB0][:3] == [0x00, 0x80, 0x80]


def test_more_data_that_breaks_off_is_incomplete_and_forces_a_reset(start, witness):
    bench = start((0x94, witness.feig_sets(A)), None, options={"ont": 0})
    bench.run(1_200)
    (item, *_) = bench.passes()
    assert (uids(item), item.complete, item.status, item.status_name) == ([A], False, -1, "timed_out")
    assert commands(bench)[5:9] == ["69", "b0", "b0", "69"]


def test_more_data_without_end_is_given_up(start, witness):
    bench = start(then=(0x94, witness.feig_sets(A)))
    bench.run(2_000)
    (item, *_) = bench.passes()
    assert (item.complete, item.status, len(item.raw)) == (False, 0x94, 65)


@pytest.mark.parametrize("status", [0x83, 0x93, 0x84])
def test_unfinished_rounds_are_incomplete(start, witness, status):
    bench = start((status, witness.feig_sets(A)), (status, b""))
    bench.run(400)
    first, second = bench.passes()[:2]
    assert (uids(first), first.complete, first.status) == ([A], False, status)
    assert (uids(second), second.complete, second.empty_passes) == ([], False, 0)


def test_status_ok_without_data_sets_is_not_believed(start):
    bench = start((0x00, b""))
    bench.run(75)
    assert bench.passes()[0].complete is False


def test_a_pass_without_answer_is_incomplete_and_polling_goes_on(start, witness):
    bench = start(None, sets(witness, A))
    bench.run(1_300)
    first, second = bench.passes()[:2]
    assert (first.complete, first.status, first.status_name) == (False, -1, "timed_out")
    assert (uids(second), second.complete) == ([A], True)
    assert healths(bench)[-1] == ("ready", "")


def test_a_damaged_answer_closes_the_pass_without_waiting_for_the_time_out(start, witness):
    bad = bytearray(witness.feig_reply(0xB0, 0, witness.feig_sets(A)))
    bad[7] ^= 1
    bench = start(bytes(bad), sets(witness, A))
    bench.run(200)
    first, second = bench.passes()[:2]
    assert (first.complete, first.status_name, uids(first)) == (False, "damaged", [])
    assert first.ended_ns - first.started_ns < 80e6
    assert second.complete


def test_noise_beside_a_proven_answer_hides_nothing(start, witness):
    good = witness.feig_reply(0xB0, 0, witness.feig_sets(A))
    bench = start(b"\xfe\x31" + good, b"\x00" + good, sets(witness, A))
    items = bench.run_passes(3)
    assert [uids(item) for item in items] == [[A], [A], [A]]
    assert all(item.complete for item in items)


def test_a_refused_frame_before_a_good_answer_makes_the_pass_incomplete(start, witness):
    good = witness.feig_reply(0xB0, 0, witness.feig_sets(A))
    bad = bytearray(witness.feig_reply(0xB0, 0, witness.feig_sets(B)))
    bad[9] ^= 1
    bench = start(bytes(bad) + good, sets(witness, A))
    first, second = bench.run_passes(2)
    assert [uids(item) for item in (first, second)] == [[A], [A]]
    assert [item.complete for item in (first, second)] == [False, True]


def test_a_late_answer_is_not_taken_for_the_next_one(start, witness):
    """The answer of the first inventory comes 5 ms after its time-out, while the reset of the next pass runs."""
    bench = start(None, sets(witness, B))
    bench.run_until(lambda: commands(bench)[-1] == "b0")
    bench.give(witness.feig_reply(0xB0, 0, witness.feig_sets(A)), 707)
    assert [uids(item) for item in bench.run_passes(2)] == [[], [B]]


def test_answers_that_come_together_are_not_taken_for_later_ones(start, witness):
    """Behind a noise byte that claims 255 bytes, two answers wait for silence; only one was asked for."""
    first, second = (witness.feig_reply(0xB0, 0, witness.feig_sets(uid)) for uid in (A, B))
    bench = start(b"\xff" + first + second, then=sets(witness, C), options={"ont": 0})
    assert [uids(item) for item in bench.run_passes(2)] == [[A], [C]]


def test_an_answer_in_pieces_outlives_its_time_out(start, witness):
    frame = witness.feig_reply(0xB0, 0, witness.feig_sets(A, B, C))
    bench = start(None, options={"inventory_timeout_ms": 100})
    bench.run(55)
    for number, byte in enumerate(frame):
        bench.give(bytes([byte]), 60 + number * 2)
    bench.run(160)
    assert uids(bench.passes()[0]) == [A, B, C]


def test_three_silent_passes_begin_the_handshake_anew(start):
    bench = start(x69=None)
    bench.run(20_000)
    assert healths(bench) == [("connecting", ""), ("ready", ""), ("fault", "no_answer")], "no flapping"
    assert 4 <= commands(bench).count("52") <= 8
    bench.device.replace.clear()
    bench.run(6_000)
    assert healths(bench)[-1] == ("ready", "")


def test_a_reader_that_falls_silent_is_sought_at_once_and_found_again(start):
    bench = start()
    bench.run(300)
    bench.device.replace = dict.fromkeys(range(256))
    bench.run(2_500)
    assert healths(bench)[-1] == ("fault", "no_answer")
    bench.device.replace = {}
    bench.run(1_500)
    assert healths(bench)[-1] == ("ready", "")
    assert len(bench.of("DeviceIdentity")) == 2


def test_a_failed_reset_is_never_an_independent_pass(start):
    bench = start(x69=0x0E)
    bench.run(300)
    (item, *_) = bench.passes()
    assert (item.complete, item.independent, item.status) == (False, False, 0x0E)
    assert healths(bench)[-1] == ("fault", "reader_status")
    assert "b0" not in commands(bench)


def test_ten_damaged_passes_blame_the_line(start, witness):
    good = witness.feig_reply(0xB0, 1)
    bench = start(then=good[:-1] + bytes([good[-1] ^ 1]))
    bench.run(2_000)
    assert healths(bench)[-1] == ("fault", "unreadable")
    bench.device.then = (0x01, b"")
    bench.run(300)
    assert healths(bench)[-1] == ("ready", "")


def test_only_the_asked_address_is_heard(start, witness):
    bench = start(options={"address": 7})
    bench.run(1_200)
    assert healths(bench)[-1] == ("fault", "no_answer")
    bench.device.address = 7
    bench.run(1_000)
    assert healths(bench)[-1] == ("ready", "")
    assert all(frame[1] == 7 for frame in bench.sent)


def test_requests_in_advanced_form(start):
    bench = start(options={"format": "advanced"})
    bench.run(200)
    assert {frame[0] for frame in bench.sent} == {2}
    assert bench.passes()[0].complete


# --- faults


def test_scan_mode_is_a_configuration_fault_with_the_remedy(start, witness):
    bench = start(then=(0x82, b""))
    bench.run(1_000)
    health = bench.of("DeviceHealth")[-1]
    assert (health.state, health.problem) == (DeviceState.FAULT, "scan_mode_on")
    assert "ISO host mode" in health.detail
    assert 3 <= len(bench.passes()) <= 5
    assert not any(item.complete for item in bench.passes())
    bench.device.then = sets(witness, A)
    bench.run(400)
    assert healths(bench)[-1] == ("ready", "")


@pytest.mark.parametrize(
    ("status", "problem"), [(0x10, "reader_status"), (0x5A, "unknown_status"), (0x84, "rf_warning")]
)
def test_a_status_that_is_not_ok_is_a_fault_with_its_byte(start, status, problem):
    bench = start((status, b""))
    bench.run(80)
    assert healths(bench)[-1] == ("fault", problem)
    (item, *_) = bench.passes()
    assert (item.complete, item.status) == (False, status)
    if problem != "rf_warning":
        assert f"{status:02x}" in bench.of("DeviceHealth")[-1].detail


def test_a_bank_card_on_the_tray_is_told_as_such(start, witness):
    card = b"\x02" + bytes.fromhex("0300" + A + "04440004a1b2c3d4e5f6")
    bench = start((0x00, card), then=sets(witness, A))
    bench.run(150)
    assert healths(bench)[-1] == ("fault", "foreign_transponder")
    assert uids(bench.passes()[0]) == []
    bench.run(400)
    assert healths(bench)[-1] == ("ready", "")


def test_health_is_repeated_each_minute_with_counters(start, witness):
    bench = start(options={"idle_poll_ms": 1000})
    bench.run(125_000)
    beats = [item for item in bench.of("DeviceHealth") if item.state is DeviceState.READY]
    assert len(beats) == 3
    assert beats[0].frames < beats[1].frames < beats[2].frames


def test_counters_begin_anew_with_the_link(start, witness):
    bench = start(b"\x99\x98\x97", then=sets(witness, A))
    bench.run(300)
    lost = bench.close()[-1]
    assert (lost.state, lost.problem, lost.noise_bytes) == (DeviceState.LOST, "link_closed", 3)
    bench.open()
    assert bench.of("DeviceHealth")[-1].noise_bytes == 0


# --- residual passes and commands


def test_a_residual_pass_asks_without_a_reset(start, witness):
    bench = start(sets(witness, A), (0x01, b""), sets(witness, A))
    bench.run(48)
    bench.command(ResidualPass())
    bench.run(100)
    first, second, third = bench.passes()[:3]
    assert [item.residual for item in (first, second, third)] == [False, True, False]
    assert [item.independent for item in (first, second, third)] == [True, False, True]
    assert second.complete
    assert commands(bench)[5:10] == ["69", "b0", "b0", "69", "b0"]


def test_several_residual_passes_come_in_a_row(start, witness):
    bench = start(sets(witness, A), sets(witness, B), then=(0x01, b""))
    bench.run(48)
    bench.command(ResidualPass(3))
    bench.run(150)
    assert [item.residual for item in bench.passes()[:5]] == [False, True, True, True, False]
    assert uids(bench.passes()[1]) == [B]


def test_a_residual_pass_waits_for_a_good_full_pass(start, witness):
    """After a lost answer chips are silent that nobody heard of: a residual pass would miss them."""
    bench = start(None, sets(witness, A), (0x01, b""))
    bench.run(60)
    bench.command(ResidualPass())
    bench.run(1_200)
    assert [item.residual for item in bench.passes()[:3]] == [False, False, True]
    assert uids(bench.passes()[1]) == [A]


def test_with_ont_0_a_residual_pass_is_refused_counted_and_told(start, witness):
    bench = start(then=sets(witness, A), options={"ont": 0})
    bench.run(100)
    bench.command(ResidualPass())
    bench.run(100)
    assert bench.driver.ignored_commands == 1
    assert not any(item.residual for item in bench.passes())
    health = bench.of("DeviceHealth")[-1]
    assert (health.problem, "ONT = 1" in health.detail) == ("residual_unavailable", True)
    assert len(bench.passes()) > 5, "the passes themselves go on at full speed"


def test_the_field_goes_off_and_on(start, witness):
    bench = start(then=sets(witness, A))
    bench.run(100)
    bench.command(FieldOn(on=False))
    bench.run(60)
    count, sent = len(bench.passes()), len(bench.sent)
    bench.run(5_000)
    assert (len(bench.passes()), len(bench.sent)) == (count, sent)
    assert bench.sent[-1] == witness.feig_request(0x6A, b"\x00")
    bench.command(FieldOn(on=True))
    bench.command(ResidualPass())
    bench.run(100)
    assert bench.sent[sent] == witness.feig_request(0x6A, b"\x01")
    assert not bench.passes()[count].residual, "switching on has woken all chips"
    assert bench.passes()[count + 1].residual


def test_an_unknown_command_is_counted_and_harmless(start):
    bench = start()
    bench.run(60)
    bench.command("no such command")
    assert bench.driver.ignored_commands == 1


def test_commands_before_the_link_is_open_do_nothing(bench, witness):
    made = bench(FeigDriver({}), Reader(witness))
    assert made.command(ResidualPass()) == []
    assert made.take(made.driver.received(b"\x06\x00", made.now)) == []
    assert made.take(made.driver.tick(made.now)) == []
    assert made.driver.deadline() is None


# --- link loss


def test_a_partial_frame_is_forgotten_with_the_link(start, witness):
    frame = witness.feig_reply(0xB0, 0, witness.feig_sets(A))
    bench = start(frame[:9])
    bench.run(55)
    bench.close()
    assert healths(bench)[-1] == ("lost", "link_closed")
    assert bench.driver.deadline() is None
    bench.open()
    bench.give(frame[9:])
    bench.run(300)
    assert not any(item.tags for item in bench.passes())
    assert healths(bench)[-2:] == [("connecting", ""), ("ready", "")]


def test_a_replug_asks_who_is_there(start):
    bench = start()
    for _ in range(3):
        bench.run(100)
        bench.close()
        bench.open()
    bench.run(100)
    assert len(bench.of("DeviceIdentity")) == 4


# --- idle


def test_an_idle_field_is_polled_slowly_and_told_once_a_second(start, witness):
    bench = start(sets(witness, A))
    bench.run(10_000)
    told = [item.empty_passes for item in bench.passes()]
    assert told[:4] == [0, 1, 1, 1]
    assert 7 <= len(told) - 4 <= 10
    assert all(20 <= count <= 26 for count in told[5:])
    asked = commands(bench).count("b0")
    assert asked - sum(told) in range(27), "every pass is told, but for the second that is not over"
    spans = [item.ended_ns - item.started_ns for item in bench.passes()[5:]]
    assert all(1.0e9 <= span <= 1.1e9 for span in spans)
    assert all(item.raw == () for item in bench.passes()[1:])


def test_a_chip_ends_the_idle_time_at_once(start, witness):
    bench = start()
    bench.run(2_500)
    bench.device.then = sets(witness, A)
    before = len(bench.passes())
    bench.run(50)
    held, seen = bench.passes()[before:][:2]
    assert held.empty_passes > 1, "what was held back comes first"
    assert uids(seen) == [A]
    count = len(bench.passes())
    bench.run(300)
    assert len(bench.passes()) - count >= 9, "back to back: about 30 ms a pass"


def test_a_residual_command_wakes_an_idle_reader(start):
    bench = start(options={"idle_poll_ms": 5000})
    bench.run(1_000)
    before = len(bench.sent)
    bench.command(ResidualPass())
    bench.run(20)
    assert len(bench.sent) == before + 1
    assert bench.passes()[-1].residual


# --- options


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"adress": 1}, ["adress", "address", "ont"]),
        ({"address": 256}, ["address", "256", "0 to 255"]),
        ({"address": True}, ["address", "integer"]),
        ({"address": "7"}, ["address", "'7'"]),
        ({"ont": 2}, ["ont", "0, 1"]),
        ({"ont": "1"}, ["ont"]),
        ({"format": "Standard"}, ["format", "standard, advanced"]),
        ({"gap_ms": 4}, ["gap_ms", "5 to 100"]),
        ({"idle_poll_ms": 0}, ["idle_poll_ms"]),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(options, named):
    with pytest.raises(LocalProtocolError) as caught:
        FeigDriver(options)
    assert all(word in str(caught.value) for word in ["feig", *named])


def test_flags_may_be_booleans():
    FeigDriver({"ont": False})
    FeigDriver({"ont": 1})
