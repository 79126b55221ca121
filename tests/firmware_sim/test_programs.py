"""The readers as programs: a pty with a stable link, faults switched while they run, plugs pulled."""

from __future__ import annotations

import json
import os
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
        process.wait(timeout=60)
        process.stderr.close()


class Control:
    def __init__(self, path):
        self.path = path

    def __call__(self, **request):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(self.path))
            client.sendall(json.dumps(request).encode() + b"\n")
            with client.makefile("rb") as answers:
                return json.loads(answers.readline())


@contextmanager
def opened(link, baud, parity, **options):
    """The port as a host opens it; waits out the reader's boot."""
    deadline = time.monotonic() + 60
    while not link.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with serial.Serial(str(link), baud, parity=parity, timeout=0.15, **options) as port:
        yield port


def ask(port, frame, tries=10):
    """Ask until the reader (booting, perhaps) answers."""
    for _ in range(tries):
        port.reset_input_buffer()
        port.write(frame)
        head = port.read(1)
        if head:
            return (head + port.read(head[0] - 1)).hex()
        time.sleep(0.02)
    return ""


def test_feig_program_answers_and_takes_plates(tmp_path):
    with program("feig", tmp_path, "--baud", "115200", "--plate", f"{UID}:1") as (process, link, control):
        assert link.is_symlink()
        assert control.path.stat().st_mode & 0o777 == 0o600
        with opened(link, 115_200, "E") as port:
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
        with opened(link, 115_200, "E") as port:
            assert ask(port, encode_request(0x65)) == VERSION
            first = str(link.readlink())
            assert control(op="fault", fault="unplug") == {"ok": True}
            assert control(op="state")["link"] == "unplugged"
            assert not link.is_symlink()
            with pytest.raises((serial.SerialException, OSError)):
                port.read(1)
        held = os.open(first, os.O_RDWR | os.O_NOCTTY) if Path(first).exists() else None  # somebody else takes the pty
        assert control(op="fault", fault="replug") == {"ok": True}
        with opened(link, 115_200, "E") as port:
            assert ask(port, encode_request(0x65)) == VERSION
        if held is not None:
            os.close(held)


def test_reset_mute_and_noise_while_it_runs(tmp_path):
    with (
        program("feig", tmp_path, "--baud", "115200") as (_, link, control),
        opened(link, 115_200, "E") as port,
    ):
        assert ask(port, encode_request(0x65)) == VERSION
        control(op="fault", fault="reset")
        assert ask(port, encode_request(0x65), tries=1) == ""
        assert ask(port, encode_request(0x65)) == VERSION
        control(op="fault", fault="mute")
        assert ask(port, encode_request(0x65), tries=2) == ""
        control(op="fault", fault="noise")
        deadline = time.monotonic() + 60
        while not port.in_waiting:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        control(op="fault", fault="none")
        assert ask(port, encode_request(0x65)) == VERSION
        refused = control(op="fault", fault="earthquake")
        assert not refused["ok"]
        assert "unplug" in refused["error"]


def test_a_wrong_baud_rate_gives_garbage_and_a_word(tmp_path):
    with program("feig", tmp_path) as (process, link, _control):
        with opened(link, 115_200, "E") as port:
            assert ask(port, encode_request(0x65), tries=2) == ""
        with opened(link, 38_400, "E") as port:
            assert ask(port, encode_request(0x65)) == VERSION
        assert "115200 baud, the reader at 38400" in process.stderr.readline()


def test_bytes_that_nobody_reads_are_lost_not_kept_for_the_next_host(tmp_path):
    with program("magicrf", tmp_path, "--plate", "e20010710000529b0940b402:1") as (_, link, control):
        with opened(link, 115_200, "N") as port:
            deadline = time.monotonic() + 60
            while not port.read(7):
                assert time.monotonic() < deadline
                port.write(bytes.fromhex("bb0027000322ffff4a7e"))
        time.sleep(0.4)
        assert control(op="state")["lost_bytes"] > 24
        with opened(link, 115_200, "N") as port:
            port.write(bytes.fromhex("bb00280000287e"))
            time.sleep(0.2)
            heard = port.read(port.in_waiting)
        assert heard.endswith(bytes.fromhex("bb01280001002a7e"))
        assert len(heard) < 600  # some rounds since opening, not half a second of them


def test_a_foreign_file_at_the_link_path_is_not_touched(tmp_path):
    link = tmp_path / "reader"
    link.write_text("precious")
    run = subprocess.run(
        [sys.executable, "-m", "firmware_sim.feig", "--link", str(link)],
        check=False,
        capture_output=True,
        text=True,
        timeout=20,
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
