"""The MagicRF driver against a scripted module, in simulated time."""

from itertools import pairwise

import pytest

from drivers.driver import LocalProtocolError
from drivers.magicrf.driver import MagicRfDriver
from edge.domain.devices import DeviceState, FieldOn, ResidualPass

A, B, C = "e20010710000529b0940b402", "30751feb705c5904e3d50d70", "e28068940000501283a4b5c6"
EMPTY = "empty"
S0, S1 = b"\x10\x20", b"\x11\x20"
TEXTS = {0: b"M100 26dBm V1.0", 1: b"V2.3.5", 2: b"MagicRF"}
HANDSHAKE = ["28", "03", "03", "03", "07", "b6", "12", "0e"]


class Module:
    """Answers by script. A round is a list of EPCs (notices 3 ms apart), EMPTY, raw bytes, an error code, or None for
    silence. ``rounds`` are consumed one by one, then ``then`` again and again. Registers last until ``restart``."""

    def __init__(self, witness, *rounds, then=EMPTY, ends=b"\xbb\x7e"):
        self.witness, self.rounds, self.then, self.ends = witness, list(rounds), then, ends
        self.replace, self.sessions = {}, []
        self.restart()

    def restart(self):
        self.registers = {0x0D: S0, 0xB7: b"\x0a\x28"}

    def __call__(self, request, now_ms):
        assert self.witness.magicrf_valid(request, self.ends)
        command, parameter = request[2], request[5:-2]
        if command in self.replace:
            instead = self.replace[command]
            return [] if instead is None else [(2, instead if isinstance(instead, bytes) else self.error(instead))]
        if command == 0x22:
            return self.round(self.rounds.pop(0) if self.rounds else self.then)
        if command in {0x0E, 0xB6}:
            self.registers[command - 1 if command == 0x0E else command + 1] = parameter
        told = parameter + TEXTS[parameter[0]] if command == 0x03 else self.registers.get(command, b"\0")
        return [(2, self.witness.magicrf_frame(1, command, told, self.ends))]

    def round(self, step):
        self.sessions.append(self.registers[0x0D][0] & 3)
        if step is None:
            return []
        if isinstance(step, bytes):
            return [(5, step)]
        if step == EMPTY or isinstance(step, int):
            return [(5, self.error(0x15 if step == EMPTY else step))]
        return [(5 + 3 * n, self.notice(epc, -50 - n)) for n, epc in enumerate(step)]

    def notice(self, epc, rssi=-50):
        return self.witness.magicrf_notice(epc, rssi, self.ends)

    def error(self, code):
        return self.witness.magicrf_frame(1, 0xFF, bytes([code]), self.ends)


def commands(bench):
    return [f"{frame[2]:02x}" for frame in bench.sent]


def epcs(item):
    return [tag.uid for tag in item.tags]


def healths(bench):
    return [(item.state.value, item.problem) for item in bench.of("DeviceHealth")]


@pytest.fixture
def start(bench, witness):
    def make(*rounds, options=None, then=EMPTY, ends=b"\xbb\x7e", **replace):
        module = Module(witness, *rounds, then=then, ends=ends)
        module.replace = {int(name[1:], 16): value for name, value in replace.items()}
        made = bench(MagicRfDriver(options or {}), module)
        made.open()
        return made

    return make


# --- handshake


def test_the_handshake_sets_the_module_up_and_names_it(start, witness):
    bench = start()
    bench.run_passes(1)
    assert commands(bench)[:9] == [*HANDSHAKE, "22"]
    identity = bench.of("DeviceIdentity")[0]
    assert (identity.protocol, identity.model, identity.firmware) == ("magicrf", "M100 26dBm V1.0", "V2.3.5")
    assert identity.serial is None
    assert healths(bench) == [("connecting", ""), ("ready", "")]
    assert bench.of("DeviceHealth")[1].detail == "MagicRF"
    assert bench.sent[4:8] == [
        witness.magicrf_frame(0, 0x07, b"\x01"),
        witness.magicrf_frame(0, 0xB6, b"\x05\xdc"),
        witness.magicrf_frame(0, 0x12, b"\x01"),
        witness.magicrf_frame(0, 0x0E, S0),
    ]


def test_options_reach_the_module(start, witness):
    bench = start(options={"region": "eu", "power_cdbm": 1250, "q": 7, "framing": "aadd"}, ends=b"\xaa\xdd")
    bench.run_passes(1)
    wanted = {0x07: b"\x03", 0xB6: b"\x04\xe2", 0x0E: b"\x10\x38"}
    for command, parameter in wanted.items():
        assert witness.magicrf_frame(0, command, parameter, b"\xaa\xdd") in bench.sent


def test_a_module_that_was_left_in_multi_poll_is_stopped_first(start, witness):
    bench = start()
    for number in range(40):
        bench.give(witness.magicrf_notice(A), number)
    bench.run(100)
    assert bench.sent[0] == witness.magicrf_frame(0, 0x28)
    assert healths(bench)[-1] == ("ready", "")


@pytest.mark.parametrize("command", ["x28", "x03"])
def test_an_older_module_may_refuse_texts_and_stop(start, command):
    bench = start(**{command: 0x17})
    bench.run_passes(1)
    assert bench.passes()[0].complete
    if command == "x03":
        assert (bench.of("DeviceIdentity")[0].model, bench.of("DeviceIdentity")[0].firmware) == ("MagicRF", "")


@pytest.mark.parametrize("command", ["x07", "xb6", "x12", "x0e"])
def test_a_refused_setting_is_a_fault_with_the_setting(start, command):
    bench = start(**{command: 0x17})
    bench.run(500)
    health = bench.of("DeviceHealth")[-1]
    assert (health.state, health.problem) == (DeviceState.FAULT, "setup_refused")
    assert "option" in health.detail
    assert not bench.passes()


def test_a_silent_module_is_asked_again_with_growing_pauses(start):
    bench = start(x28=None)
    bench.run(30_000)
    assert healths(bench) == [("connecting", ""), ("fault", "no_answer")]
    rounds = bench.sent_ms[::3]
    pauses = [round(b - a) for a, b in pairwise(rounds)]
    assert pauses[:4] == [800, 1000, 1400, 2200]
    assert max(pauses) == 5600
    bench.device.replace.clear()
    bench.run(6_000)
    assert healths(bench)[-1] == ("ready", "")


# --- rounds


def test_a_round_ends_when_the_line_falls_silent(start, witness):
    bench = start([A, B], [A])
    first, second = bench.run_passes(2)
    assert epcs(first) == [A, B]
    assert [tag.rssi_dbm for tag in first.tags] == [-50, -51]
    assert (first.complete, first.independent, first.residual) == (True, True, False)
    assert (first.status, first.status_name) == (0, "ok")
    assert first.raw == (witness.magicrf_notice(A, -50), witness.magicrf_notice(B, -51))
    assert round((first.ended_ns - first.started_ns) / 1e6) == 5 + 3 + 15
    assert epcs(second) == [A]


def test_a_tag_counts_once_with_its_strongest_signal(start, witness):
    notices = [witness.magicrf_notice(A, rssi) for rssi in (-60, -41, -70)]
    bench = start(b"".join(notices))
    (item,) = bench.run_passes(1)
    assert [(tag.uid, tag.rssi_dbm) for tag in item.tags] == [(A, -41)]
    assert len(item.raw) == 3


def test_error_15_is_an_empty_round(start):
    bench = start(EMPTY)
    (item,) = bench.run_passes(1)
    assert (item.complete, item.empty_passes, item.tags, item.raw) == (True, 1, (), ())
    assert (item.status, item.status_name) == (0x15, "inventory_fail_no_tag_or_crc")
    assert healths(bench)[-1] == ("ready", "")


def test_notices_and_then_error_15_end_the_round(start, witness):
    bench = start(witness.magicrf_notice(A) + witness.magicrf_frame(1, 0xFF, b"\x15"))
    (item,) = bench.run_passes(1)
    assert (epcs(item), item.complete) == ([A], True)
    assert item.ended_ns - item.started_ns < 6e6


def test_a_notice_whose_tag_crc_is_wrong_is_dropped_and_the_pass_incomplete(start, witness):
    bad = bytearray(witness.magicrf_notice(B))
    bad[9] += 1
    bad[10] -= 1
    assert sum(bad[1:-2]) % 256 == bad[-2]
    bench = start(witness.magicrf_notice(A) + bytes(bad), [A])
    first, second = bench.run_passes(2)
    assert (epcs(first), first.complete) == ([A], False)
    assert (epcs(second), second.complete) == ([A], True)


def test_only_damaged_notices_close_the_round_as_damaged(start, witness):
    bad = bytearray(witness.magicrf_notice(B))
    bad[9] ^= 1
    bench = start(bytes(bad))
    (item,) = bench.run_passes(1)
    assert (item.tags, item.complete, item.status, item.status_name) == ((), False, -1, "damaged")
    assert item.ended_ns - item.started_ns < 60e6


def test_a_notice_that_breaks_off_makes_the_pass_incomplete(start, witness):
    bench = start(witness.magicrf_notice(A) + witness.magicrf_notice(B)[:11], [A, B])
    first, second = bench.run_passes(2)
    assert (epcs(first), first.complete) == ([A], False)
    assert (epcs(second), second.complete) == ([A, B], True)


def test_a_round_in_single_bytes(start, witness):
    bench = start(None, options={"reply_timeout_ms": 30})
    bench.run_until(lambda: commands(bench)[-1] == "22")
    for number, byte in enumerate(witness.magicrf_notice(A) + witness.magicrf_notice(B)):
        bench.give(bytes([byte]), 5 + number)
    (item,) = bench.run_passes(1)
    assert (epcs(item), item.complete) == ([A, B], True)


def test_a_late_notice_makes_the_next_pass_incomplete(start, witness):
    bench = start([A], [A], [A])
    bench.run_passes(1)
    bench.give(witness.magicrf_notice(B))
    _, second, third = bench.run_passes(3)
    assert (second.complete, third.complete) == (False, True)


def test_a_round_that_comes_with_the_end_of_the_last_one_is_not_believed(start, witness):
    """Error 15 ends the round; the notice in the same bytes came before the next poll was sent."""
    bench = start(witness.magicrf_frame(1, 0xFF, b"\x15") + witness.magicrf_notice(B), [A], [A])
    first, second, third = bench.run_passes(3)
    assert [epcs(item) for item in (first, second, third)] == [[], [A], [A]]
    assert [item.complete for item in (first, second, third)] == [True, False, True]


def test_silence_is_incomplete_and_the_settings_are_made_sure_of(start):
    bench = start([A], None, [A])
    _, second, third = bench.run_passes(3)
    assert (second.complete, second.status, second.status_name) == (False, -1, "timed_out")
    assert third.complete
    assert commands(bench)[8:15] == ["22", "22", "07", "b6", "12", "0e", "22"]


def test_a_restart_that_nobody_saw_is_noticed_within_seconds(start):
    """The module polls on at full power; nothing in its notices tells."""
    bench = start(then=[A])
    bench.run(1_000)
    bench.device.restart()
    assert bench.device.registers[0xB7] == b"\x0a\x28"
    bench.run(5_100)
    assert bench.device.registers[0xB7] == b"\x05\xdc"
    assert healths(bench)[-1] == ("ready", "")


def test_settings_that_hold_are_left_alone(start):
    bench = start(then=[A])
    bench.run(21_000)
    assert commands(bench).count("b6") == 1
    assert commands(bench).count("b7") == 4


def test_a_module_that_falls_silent_is_sought_and_found(start):
    bench = start(then=[A])
    bench.run(500)
    bench.device.replace = dict.fromkeys(range(256))
    bench.run(3_000)
    assert healths(bench)[-1] == ("fault", "no_answer")
    bench.device.replace = {}
    bench.run(6_000)
    assert healths(bench)[-1] == ("ready", "")
    assert len(bench.of("DeviceIdentity")) == 2


@pytest.mark.parametrize(("code", "problem"), [(0x20, "reader_error"), (0x17, "reader_error"), (0x77, "unknown_error")])
def test_other_errors_are_faults_with_their_byte(start, code, problem):
    bench = start(code, then=[A])
    (item,) = bench.run_passes(1)
    assert (item.complete, item.status) == (False, code)
    health = bench.of("DeviceHealth")[-1]
    assert (health.problem, f"{code:02x}" in health.detail) == (problem, True)
    bench.run(400)
    assert healths(bench)[-1] == ("ready", "")


# --- residual rounds


def test_the_residual_pass_is_the_second_round_in_s1(start):
    bench = start([A], [A], [B], [A])
    bench.run_passes(1)
    bench.command(ResidualPass())
    first, settle, residual, after = bench.run_passes(4)
    assert [item.residual for item in (first, settle, residual, after)] == [False, False, True, False]
    assert [item.independent for item in (first, settle, residual, after)] == [True, False, False, True]
    assert (epcs(settle), epcs(residual)) == ([A], [B])
    assert residual.complete
    assert bench.device.sessions[:4] == [0, 1, 1, 0]
    assert commands(bench)[8:14] == ["22", "0e", "22", "22", "0e", "22"]


def test_several_residual_passes_share_the_first_round(start):
    bench = start([A], [A], [B], then=EMPTY)
    bench.run_passes(1)
    bench.command(ResidualPass(3))
    items = bench.run_passes(6)
    assert [item.residual for item in items] == [False, False, True, True, True, False]
    assert bench.device.sessions[:6] == [0, 1, 1, 1, 1, 0]


def test_an_empty_residual_pass_is_told_at_once(start):
    bench = start([A], [A], EMPTY, [A])
    bench.run_passes(1)
    bench.command(ResidualPass())
    residual = bench.run_passes(3)[2]
    assert (residual.residual, residual.complete, residual.tags) == (True, True, ())


def test_a_lost_notice_in_the_first_s1_round_spoils_the_residual_pass(start, witness):
    bad = bytearray(witness.magicrf_notice(B))
    bad[9] ^= 1
    bench = start([A, B], witness.magicrf_notice(A) + bytes(bad), EMPTY, [A, B])
    bench.run_passes(1)
    bench.command(ResidualPass())
    _, settle, residual, after = bench.run_passes(4)
    assert [item.complete for item in (settle, residual, after)] == [False, False, True]


def test_a_silent_s1_round_ends_the_attempt(start):
    bench = start([A], None, [A])
    bench.run_passes(1)
    bench.command(ResidualPass())
    _, settle, after = bench.run_passes(3)
    assert (settle.complete, settle.residual) == (False, False)
    assert (after.complete, after.independent) == (True, True)
    assert bench.device.registers[0x0D] == S0


def test_a_session_that_is_refused_gives_an_incomplete_residual_pass(start, witness):
    bench = start(then=[A])
    bench.run_passes(1)
    bench.device.replace = {0x0E: 0x17}
    bench.command(ResidualPass())
    residual = bench.run_passes(2)[1]
    assert (residual.residual, residual.complete, residual.status_name) == (True, False, "setup_refused")
    bench.device.replace = {}
    bench.run(2_000)
    assert bench.device.registers[0x0D] == S0
    assert healths(bench)[-1] == ("ready", "")


# --- commands, link, idle


def test_the_field_goes_off_and_on(start, witness):
    bench = start(then=[A])
    bench.run(200)
    bench.command(FieldOn(on=False))
    bench.run(100)
    count = len(bench.sent)
    bench.run(3_000)
    assert len(bench.sent) == count
    assert bench.sent[-1] == witness.magicrf_frame(0, 0xB0, b"\0")
    bench.command(FieldOn(on=True))
    bench.run(50)
    assert bench.sent[count][2] == 0x22


def test_a_partial_notice_is_forgotten_with_the_link(start, witness):
    notice = witness.magicrf_notice(A)
    bench = start(notice[:9])
    bench.run_until(lambda: "22" in commands(bench))
    bench.run(6)
    bench.close()
    assert healths(bench)[-1] == ("lost", "link_closed")
    assert bench.driver.deadline() is None
    bench.open()
    bench.give(notice[9:])
    bench.run(300)
    assert not any(item.tags for item in bench.passes())
    assert healths(bench)[-1] == ("ready", "")
    assert len(bench.of("DeviceIdentity")) == 2


def test_an_idle_field_is_polled_slowly_and_told_once_a_second(start):
    bench = start([A])
    bench.run(10_000)
    told = [item.empty_passes for item in bench.passes()]
    assert told[:4] == [0, 1, 1, 1]
    assert 8 <= len(told) - 4 <= 10
    assert all(23 <= count <= 26 for count in told[5:])
    bench.device.then = [A]
    count = len(bench.passes())
    bench.run(500)
    assert bench.passes()[count].empty_passes > 1
    assert len(bench.passes()) - count >= 20, "back to back"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"power": 10}, ["power", "power_cdbm"]),
        ({"power_cdbm": 3301}, ["power_cdbm", "0 to 3300"]),
        ({"region": "cn"}, ["region", "cn900", "kr"]),
        ({"framing": "BB7E"}, ["framing", "bb7e, aadd"]),
        ({"q": -1}, ["q", "0 to 15"]),
        ({"round_gap_ms": 1}, ["round_gap_ms"]),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(options, named):
    with pytest.raises(LocalProtocolError) as caught:
        MagicRfDriver(options)
    assert all(word in str(caught.value) for word in ["magicrf", *named])
