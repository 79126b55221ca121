from __future__ import annotations

import asyncio
import os
import threading

import pytest

import drivers.links.serial as serial_link
from drivers.links.link import WRITE_BUFFER_BYTES_MAX, LinkError
from drivers.links.opening import opener_of
from drivers.links.serial import SerialOpener
from drivers.links.url import SerialUrl


def test_bytes_go_both_ways(device, recorder, run):
    async def scenario():
        handler = recorder()
        link = await opener_of(device.url).open(handler)
        device.say(b"\x02\x00\xff")
        await handler.until(lambda h: h.data == b"\x02\x00\xff")
        link.write(b"abc")
        link.write(b"\x00\x11\x13\x03\x1a")  # XON, XOFF, ^C and ^Z must pass: the line is raw
        assert device.heard() == b"abc\x00\x11\x13\x03\x1a"
        link.close()

    run(scenario())


@pytest.mark.parametrize("settings", ["baud=38400&parity=E", "baud=9600&parity=O&bits=7&stop=2", "baud=921600"])
def test_every_setting_opens(device, recorder, run, settings):
    async def scenario():
        handler = recorder()
        link = await opener_of(f"serial://{device.path}?{settings}").open(handler)
        device.say(b"\x81\x01")
        await handler.until(lambda h: len(h.data) == 2)
        link.close()

    run(scenario())


def test_a_replugged_device_is_found_again_by_its_path(device, recorder, run):
    async def scenario():
        opener = opener_of(device.url)
        first = recorder()
        await opener.open(first)
        old_node = device.path.readlink()
        device.unplug()
        await first.until(lambda h: h.lost)
        assert len(first.lost) == 1
        with pytest.raises(LinkError, match="is it plugged in"):
            await opener.open(recorder())
        keep = []
        try:
            device.plug()
            while device.path.readlink() == old_node:  # somebody must take the old number: another name is the point
                device.unplug()
                keep.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
                device.plug()
            second = recorder()
            link = await opener.open(second)
            device.say(b"back")
            await second.until(lambda h: h.data == b"back")
            link.close()
        finally:
            for each in keep:
                os.close(each)
        assert first.data == b""
        assert len(first.lost) == 1

    run(scenario())


def test_the_port_is_ours_alone_until_it_is_given_back(device, recorder, run):
    async def scenario():
        link = await opener_of(device.url).open(recorder())
        with pytest.raises(LinkError, match="in use by another program"):
            await opener_of(device.url).open(recorder())
        link.close()
        for _ in range(6000):  # a minute: it is closed in a thread
            try:
                again = await opener_of(device.url).open(recorder())
            except LinkError:
                await asyncio.sleep(0.01)
            else:
                again.close()
                return
        pytest.fail("the closed port was not released")

    run(scenario())


def test_reopening_waits_for_the_closing_of_the_same_port(device, recorder, run):
    async def scenario():
        opener = opener_of(device.url)
        for _ in range(20):
            link = await opener.open(recorder())
            link.close()
            link.close()
            link.write(b"after the end")

    run(scenario())


def test_a_simulated_reader_with_parity_can_be_opened_again(device, recorder, run):
    """Linux strips parity from pseudo-terminals; a second opening with the same settings once failed with EINVAL."""

    async def scenario():
        opener = opener_of(f"serial://{device.path}?baud=115200&parity=E")  # one waits until it has closed the last
        for _ in range(3):
            handler = recorder()
            link = await opener.open(handler)
            device.say(b"here")
            await handler.until(lambda h: h.data == b"here")
            link.close()

    run(scenario())


@pytest.mark.parametrize(
    ("path", "says"), [("/dev/null", "not a serial port"), ("/nonexistent/tty", "is it plugged in"), ("/tmp", "/tmp: ")]
)
def test_what_cannot_be_opened_is_explained(path, says, recorder, run):
    async def scenario():
        with pytest.raises(LinkError, match=says):
            await SerialOpener(SerialUrl(path)).open(recorder())

    run(scenario())


def test_paused_bytes_wait_in_the_port(device, recorder, run):
    async def scenario():
        handler = recorder()
        link = await opener_of(device.url).open(handler)
        link.pause_reading()
        device.say(b"later")
        await asyncio.sleep(0.05)
        assert handler.data == b""
        link.resume_reading()
        link.resume_reading()
        await handler.until(lambda h: h.data == b"later")
        link.close()

    run(scenario())


def test_a_device_that_takes_nothing_is_given_up_and_nothing_waits(device, recorder, run):
    async def scenario():
        handler = recorder()
        link = await opener_of(device.url).open(handler)
        for _ in range(4 * WRITE_BUFFER_BYTES_MAX // 1000):  # the pty itself holds some 64 KiB
            link.write(bytes(1000))  # if one of these waited for the device, it would wait for ever
        await handler.until(lambda h: h.lost)
        assert "takes no data" in handler.lost[0]
        assert len(handler.lost) == 1

    run(scenario())


def test_what_the_port_does_not_take_at_once_follows_in_order(device, recorder, run):
    async def scenario():
        handler = recorder()
        link = await opener_of(device.url).open(handler)
        sent = bytes(range(256)) * 120
        for start in range(0, len(sent), 1000):
            link.write(sent[start : start + 1000])
        heard = b""
        async with asyncio.timeout(60):
            while len(heard) < len(sent):
                heard += device.heard()
                await asyncio.sleep(0.001)
        assert heard == sent
        assert not handler.lost
        link.close()

    run(scenario())


def test_a_port_that_hangs_in_open_costs_nobody_else_and_is_closed_when_it_comes(
    device, recorder, run, monkeypatch, tmp_path
):
    release = threading.Event()
    closed = threading.Event()
    real_open, real_close = serial_link._open_port, serial_link._close_port

    def hanging_open(url):
        if url.path.endswith("hangs"):
            release.wait(250)
            return real_open(SerialUrl(str(device.path)))
        return real_open(url)

    def noting_close(port):
        real_close(port)
        closed.set()

    monkeypatch.setattr(serial_link, "_open_port", hanging_open)
    monkeypatch.setattr(serial_link, "_close_port", noting_close)

    async def scenario():
        hanging = SerialOpener(SerialUrl(str(tmp_path / "hangs")), timeout_s=0.1)
        with pytest.raises(LinkError, match="opening took over"):
            await hanging.open(recorder())
        with pytest.raises(LinkError, match="earlier opening still hangs"):
            await hanging.open(recorder())
        release.set()  # until now the other thread hung: the loop went on beside it
        assert await asyncio.to_thread(closed.wait, 60)

    run(scenario())
