"""The readers as programs: a pty with a stable link, faults switched while they run, plugs pulled."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from firmware_sim.feig.frames import encode_request

UID = "e00700001353e7b6"
VERSION = "0d006500010200002100082b66"
PATIENCE_S = 60


@contextmanager
def program(kind, folder, *options):
    """A running simulator and its control socket's file."""
    link, control = folder / "reader", folder / "control.sock"
    command = [sys.executable, "-m", f"firmware_sim.{kind}", "--link", str(link), "--control", str(control), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline() == f"ready: {link}\n"
        yield process, link, Control(control)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE_S)
        process.stderr.close()


class Control:
    def __init__(self, path):
        self.path = path

    def __call__(self, **request):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_S)
            client.connect(str(self.path))
            client.sendall(json.dumps(request).encode() + b"\n")
            with client.makefile("rb") as answers:
                return json.loads(answers.readline())


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def opened(link, control, baud, parity):
    """The port as a host opens it; waits out the reader's boot."""
    until(lambda: link.exists() and control(op="state")["awake"])
    with serial.Serial(str(link), baud, parity=parity, timeout=PATIENCE_S) as port:
        yield port


def ask(port, frame):
    """The answer of a reader that is awake."""
    port.write(frame)
    head = port.read(1)
    return (head + port.read(head[0] - 1)).hex()


def is_silent(port, frame):
    """True when nothing comes back for a while."""
    port.write(frame)
    return not select.select([port], [], [], 0.3)[0]


def test_feig_program_answers_and_takes_plates(tmp_path):
    with program("feig", tmp_path, "--baud", "115200", "--plate", f"{UID}:1") as (process, link, control):
        assert link.is_symlink()
        assert control.path.stat().st_mode & 0o777 == 0o600
        with opened(link, control, 115_200, "E") as port:
            assert ask(port, encode_request(0x65)) == VERSION
            time.sleep(0.005)
            assert ask(port, encode_request(0xB0, b"\x01\x00")) == "1100b000010300e00700001353e7b6aa00"
            time.sleep(0.005)
            assert ask(port, encode_request(0xB0, b"\x01\x00")) == "0600b0015c63"
            assert control(op="place", uid="e004010000000001", percent=100) == {"ok": True}
            state = control(op="state")
            assert [plate["uid"] for plate in state["tray"]] == [UID, "e004010000000001"]
            time.sleep(0.005)
            begin = time.monotonic()
            answer = ask(port, encode_request(0xB0, b"\x01\x00"))
            assert bytes.fromhex(answer)[7:15].hex() == "e004010000000001"
            assert time.monotonic() - begin >= 0.017  # 14 ms on the air, some 3 ms on the wire and in the reader
            assert control(op="remove")["removed"] == [UID, "e004010000000001"]
    assert process.returncode == 0
    assert not list(tmp_path.iterdir())


def test_unplug_and_replug_keep_the_link_path(tmp_path):
    with program("feig", tmp_path, "--baud", "115200") as (_, link, control):
        with opened(link, control, 115_200, "E") as port:
            assert ask(port, encode_request(0x65)) == VERSION
            first = str(link.readlink())
            assert control(op="fault", fault="unplug") == {"ok": True}
            assert control(op="state")["link"] == "unplugged"
            assert not link.is_symlink()
            with pytest.raises((serial.SerialException, OSError)):
                port.read(1)
        held = os.open(first, os.O_RDWR | os.O_NOCTTY) if Path(first).exists() else None  # somebody else takes the pty
        assert control(op="fault", fault="replug") == {"ok": True}
        with opened(link, control, 115_200, "E") as port:
            assert ask(port, encode_request(0x65)) == VERSION
        if held is not None:
            os.close(held)


def test_reset_mute_and_noise_while_it_runs(tmp_path):
    with (
        program("feig", tmp_path, "--baud", "115200", "--plate", f"{UID}:1") as (_, link, control),
        opened(link, control, 115_200, "E") as port,
    ):
        inventory = encode_request(0xB0, b"\x01\x00")
        assert UID in ask(port, inventory)
        time.sleep(0.005)
        assert UID not in ask(port, inventory), "it tells each plate once"
        control(op="fault", fault="reset")
        until(lambda: control(op="state")["awake"])
        assert UID in ask(port, inventory), "what it knew is lost"
        control(op="fault", fault="mute")
        assert is_silent(port, encode_request(0x65))
        control(op="fault", fault="noise")
        until(lambda: port.in_waiting)
        control(op="fault", fault="none")
        port.reset_input_buffer()
        assert ask(port, encode_request(0x65)) == VERSION
        refused = control(op="fault", fault="earthquake")
        assert not refused["ok"]
        assert "unplug" in refused["error"]


def test_a_wrong_baud_rate_gives_garbage_and_a_word(tmp_path):
    with program("feig", tmp_path) as (process, link, control):
        with opened(link, control, 115_200, "E") as port:
            assert is_silent(port, encode_request(0x65))
        with opened(link, control, 38_400, "E") as port:
            assert ask(port, encode_request(0x65)) == VERSION
        assert "115200 baud, the reader at 38400" in process.stderr.readline()


def test_bytes_that_nobody_reads_are_lost_not_kept_for_the_next_host(tmp_path):
    old, new = "e20010710000529b0940b402", "e20010710000529b0940b403"

    def lost():
        return control(op="state")["lost_bytes"]

    with program("magicrf", tmp_path, "--plate", f"{old}:1") as (_, link, control):
        with opened(link, control, 115_200, "N") as port:
            port.write(bytes.fromhex("bb0027000322ffff4a7e"))
            assert bytes.fromhex(old) in port.read(24)
        until(lambda: lost() > 240)
        control(op="remove")
        control(op="place", uid=new, percent=100)
        before = lost()
        until(lambda: lost() > before + 100)  # the round in which the plates changed is over
        with opened(link, control, 115_200, "N") as port:
            port.write(bytes.fromhex("bb00280000287e"))
            heard = port.read_until(bytes.fromhex("bb01280001002a7e"))
        assert heard.endswith(bytes.fromhex("bb01280001002a7e"))
        assert bytes.fromhex(old) not in heard


def test_a_foreign_file_at_the_link_path_is_not_touched(tmp_path):
    link = tmp_path / "reader"
    link.write_text("precious")
    run = subprocess.run(
        [sys.executable, "-m", "firmware_sim.feig", "--link", str(link)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 4
    assert "no symbolic link" in run.stderr
    assert link.read_text() == "precious"


@pytest.mark.parametrize(
    ("options", "words"), [(("--plate", "xyz"), "16 hex digits"), (("--plate", f"{UID}:7"), "no probability")]
)
def test_bad_options_are_explained(program_ends, tmp_path, options, words):
    status, told = program_ends("feig", "--link", tmp_path / "reader", *options)
    assert status == 2
    assert words in told
