"""The gym's simulators alone: physics that adds up, golden frames from the protocol pages, and the programs."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys

import pytest

from firmware_sim.ant_fec import AntMachine
from firmware_sim.ble_gateway import BleGateway
from firmware_sim.csafe import Console, CsafePort
from firmware_sim.csafe.frames import Receiver, sealed
from firmware_sim.exercise import KINDS, Exercise
from firmware_sim.ftms import FtmsMachine
from firmware_sim.ftms.records import encode
from firmware_sim.health.hut import sfloat
from firmware_sim.heart_rate import Strap
from firmware_sim.line import LineSettings

S = 1_000_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_distance_is_speed_over_time_and_life_goes_on_where_a_workout_begins_anew(kind):
    it = Exercise(kind, life_h=10.0, life_km=100.0)
    it.start(0)
    for second in range(1, 601):
        it.run(second * S)
    assert it.elapsed_s == pytest.approx(600)
    assert it.distance_m == pytest.approx(it.speed_km_h / 3.6 * 600)
    assert it.turns == pytest.approx(it.rate_per_min * 10)
    assert it.heart_bpm == pytest.approx(116, abs=1)
    far = it.life_km
    it.stop(600 * S)
    it.start(601 * S)
    assert (it.elapsed_s, it.distance_m) == (0, 0)
    assert (it.life_km, it.life_h) == (far, pytest.approx(10 + 600 / 3600))
    assert it.starts == 814


def test_nothing_moves_in_a_pause_and_the_heart_comes_down():
    it = Exercise("bike")
    it.start(0)
    it.run(300 * S)
    it.stop(300 * S, "paused")
    frozen = (it.elapsed_s, it.distance_m, it.energy_kcal)
    fast = it.heart_bpm
    for second in range(301, 400):
        it.run(second * S)
    assert (it.elapsed_s, it.distance_m, it.energy_kcal) == frozen
    assert it.heart_bpm < fast - 20
    it.start(400 * S)
    assert it.distance_m == frozen[1], "goes on"


def test_a_worn_belt_draws_more():
    new, worn = Exercise("treadmill"), Exercise("treadmill", friction=1.3)
    for it in (new, worn):
        it.start(0)
    assert worn.motor_a == pytest.approx(1.3 * new.motor_a)


def test_golden_frames_of_the_pages():
    assert sealed(b"\x09\xa5\x03\x26\x00\x52").hex() == "f109a503260052dbf2"
    assert sealed(b"\x01\x77\x01\x39", (0, 0xFD)).hex() == "f000fd017701394ef2"
    assert sealed(b"\xf1").hex() == "f1f301f301f2"
    assert encode("2ad2", {"speed": 32.74, "cadence": 80, "power": 300}).hex() == "4400ca0ca0002c01"
    assert encode("2acd", {"speed": 12.5, "avg_speed": 12.0, "hr": 155}).hex() == "0201e204b0049b"
    assert sfloat(138).hex() == "8a00"
    assert sfloat(16.0, 1).hex() == "a0f0"
    assert sfloat(None).hex() == "ff07"
    assert Strap(worn=False).values(0)[0].data.hex() == "0400"


def test_a_damaged_question_is_not_answered_and_an_unknown_one_with_the_bare_status():
    port = CsafePort(Console(Exercise("bike"), unsupported={0x9A}), line=LineSettings(9600))
    port.receive(bytes.fromhex("f19a9bf2"), 0)
    assert port.take(S) == b""
    assert port.bad_frames == 1
    port.receive(bytes.fromhex("f19a9af2"), 2 * S)
    assert port.take(3 * S).hex() == "f18181f2", "state idle is the console's ready, bit 7 turned"
    (request,) = Receiver().hear(bytes.fromhex("f17f03570100" + "2af2"))
    assert request.commands == [(0x7F, b"\x57\x01\x00")]


def test_counters_of_pages_roll_over():
    machine = AntMachine(Exercise("rower"))
    machine.exercise.start(0)
    seen = [page for second in range(200) if (page := machine.page(second * S))[0] == 16]
    distances = [page[3] for page in seen]
    assert max(distances) > 240
    assert any(later < earlier for earlier, later in itertools.pairwise(distances))


def test_a_gateway_keeps_what_it_hears_while_it_is_cut_off():
    machine = FtmsMachine(Exercise("bike", state="in_use"))
    gateway = BleGateway({"hall/b1": machine})
    gateway.tick(10 * S)
    assert gateway.take(10 * S) == []
    gateway.connected(10 * S)
    kept = [json.loads(item.payload) for item in gateway.take(10 * S)]
    assert [item["seq"] for item in kept] == list(range(1, len(kept) + 1))
    assert len(kept) >= 9
    assert kept[-1]["time"] - kept[0]["time"] >= 8_000


PROGRAMS = {
    "ble_gateway": [{"name": "hall/t1", "kind": "treadmill", "running": True}, {"name": "hut/cuff", "kind": "cuff"}],
    "strength": [{"name": "strength/knee1"}],
    "trail_gates": [{"name": "trail/gate1"}],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_as_a_program(program, tmp_path):
    """It runs without a broker, trying again, and ends when told to."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"port": 1, "devices": PROGRAMS[program]}))
    command = [sys.executable, "-m", f"firmware_sim.{program}", "--config", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline().startswith("ready: ")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stderr.close()


@pytest.mark.parametrize(
    ("program", "device", "place"),
    [
        ("ble_gateway", {"name": "t1"}, "devices[0].name"),
        ("ble_gateway", {"name": "a/b", "kind": "boat"}, "devices[0].kind"),
        ("ble_gateway", {"name": "a/b", "habit": "lazy"}, "devices[0].habit"),
        ("strength", {"name": "a"}, "devices[0].name"),
        ("trail_gates", {"name": "a/b/c"}, "devices[0].name"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(program_ends, program, device, place, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"port": 1, "devices": [device]}))
    status, told = program_ends(program, "--config", config)
    assert status == 2
    assert place in told
