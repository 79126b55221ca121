"""Mutated frames and noise: what is accepted passes the book, nothing raises, and one good frame brings back sync."""

import json
import random

import pytest

from drivers.buffer import Refused, Scanner
from drivers.dlt645.describe import describe as describe_dlt645
from drivers.dlt645.frames import Grammar as Dlt645Grammar
from drivers.modbus.describe import describe as describe_modbus
from drivers.modbus.frames import RtuGrammar
from drivers.pressure_a55a.describe import describe as describe_a55a
from drivers.pressure_a55a.frames import Grammar as A55aGrammar

A55A = bytes.fromhex("A55A00002953485250323530393031323034D0000000010100000009C4025D68FFB887025D843E55AA")


def originals(book, side):
    if side == "dlt645":
        datas = ["00000100", "0000010026000000", "00ff01025622ffffffff", "0102000459 3023", "02", "", "43c3"]
        datas = [bytes.fromhex(data) for data in datas]
        switch = bytes.fromhex("0211111154534145") + b"\x1a\0" + bytes.fromhex("595923311225")
        return [book.dlt645_frame("000000000161", c, d) for c in (0x11, 0x91, 0xB1, 0xD1, 0x93) for d in datas] + [
            book.dlt645_frame("000000000161", 0x1C, switch)
        ]
    if side == "pressure_a55a":
        return [A55A]
    host = ["0300000 00a", "0500acff00", "100001000204000a0102", "0f0013000a02cd01", "0600010003", "0100000010"]
    device = ["0306ae4156524340", "0102cd01", "0500acff00", "8302", "1000010002", "18000600020 1b81284"]
    pdus = host if side == "modbus host" else device
    return [book.modbus_frame(1, bytes.fromhex(pdu.replace(" ", ""))) for pdu in pdus]


def parts(book, side):
    """Grammar, describe, the check of the book, and how to make a mutant's sum right."""
    if side == "dlt645":

        def reseal(data):
            if len(data) < 12:
                return data
            body = data[:9] + bytes([min(200, len(data) - 12)]) + data[10:-2]
            return body + bytes([sum(body) & 255, 0x16])

        return Dlt645Grammar(), describe_dlt645, book.dlt645_valid, reseal
    if side == "pressure_a55a":

        def reseal(data):
            if len(data) < 9:
                return data
            body = data[:2] + len(data).to_bytes(3, "big") + data[5:-4]
            return body + book.modbus_crc(body).to_bytes(2, "big") + b"\x55\xaa"

        return A55aGrammar(), describe_a55a, book.a55a_valid, reseal

    def valid(raw):
        return book.modbus_crc(raw[:-2]) == raw[-2] + 256 * raw[-1]

    def reseal(data):
        crc = book.modbus_crc(data[:-2])
        return data[:-2] + bytes([crc & 255, crc >> 8])

    return RtuGrammar(from_host=side == "modbus host"), describe_modbus, valid, reseal


def mutate(rng, data, reseal):
    data = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) or 1)
        match rng.randrange(6):
            case 0 if data:
                data[at] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[at] = rng.choice([0, 1, 3, 5, 0x16, 0x68, 0xA5, 0xFE, 0xFF, rng.randrange(256)])
            case 2:
                data[at:at] = rng.randbytes(rng.randint(1, 4))
            case 3:
                del data[at : at + rng.randint(1, 4)]
            case 4:
                data[at:at] = data[: rng.randint(1, 12)]
            case _:
                data += data[at:]
    return reseal(bytes(data)) if rng.random() < 0.5 else bytes(data)


SIDES = ["dlt645", "modbus device", "modbus host", "pressure_a55a"]


@pytest.mark.parametrize("side", SIDES)
def test_no_mutant_is_wrongly_accepted(book, side):
    frames = originals(book, side)
    grammar, describe, valid, reseal = parts(book, side)
    rng = random.Random(side)
    accepted = changed = 0
    for _ in range(6_000):
        mutant = mutate(rng, rng.choice(frames), reseal)
        scanner, at = Scanner(grammar), 0
        for item in scanner.feed(mutant) + scanner.flush():
            if isinstance(item, Refused):
                continue
            at = mutant.index(item.raw, at) + len(item.raw)
            assert valid(item.raw)
            json.dumps(describe(item), allow_nan=False)
            accepted += 1
            changed += item.raw not in frames
    assert changed > 150
    assert accepted > changed


@pytest.mark.parametrize("side", SIDES)
def test_noise_gives_nothing_and_one_good_frame_is_enough(book, side):
    """Seeded noise. An eight-bit sum lets one in 256 whole candidates through, so DL/T 645 noise is checked by the
    book instead of by count."""
    frames = originals(book, side)
    grammar, _, valid, _ = parts(book, side)
    rng = random.Random(side + " noise")
    for _ in range(60):
        scanner = Scanner(grammar)
        noise = bytes(rng.choice(b"\x68\x68\xa5\x5a\x01\x03\x00\x05\x83" + rng.randbytes(9)) for _ in range(400))
        good = frames[0]
        items = [item for chunk in (noise[:173], noise[173:], good) for item in scanner.feed(chunk)] + scanner.flush()
        found = [item.raw for item in items if not isinstance(item, Refused)]
        assert good in found
        assert all(valid(raw) for raw in found)
        assert scanner.examined <= 6 * len(noise + good)
