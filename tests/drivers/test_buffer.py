"""The scanner against the bare rules of the contract, its bounds, and its work."""

import random

import pytest

from drivers.buffer import ErrorKind, Refused, Scanner
from drivers.feig.frames import ADVANCED_MAX_LENGTH
from drivers.feig.frames import Grammar as FeigGrammar
from drivers.magicrf.frames import Framing
from drivers.magicrf.frames import Grammar as MagicGrammar

A = "e00401001234abcd"
B = "e004010000000001"


def kinds(items):
    return [item.kind for item in items if isinstance(item, Refused)]


def raws(items):
    return [item.raw for item in items if not isinstance(item, Refused)]


def scan(grammar, data):
    scanner = Scanner(grammar)
    return scanner.feed(data) + scanner.flush(), scanner


@pytest.fixture
def feig(witness):
    def make(*uids, status=0):
        return witness.feig_reply(0xB0, status, witness.feig_sets(*uids))

    return make


def sides(witness):
    """(grammar, claim, valid, good frames) for each protocol and direction."""
    reply, request = witness.feig_reply, witness.feig_request
    magic = [witness.magicrf_frame(0, 0x22), witness.magicrf_frame(1, 0xFF, b"\x15"), witness.magicrf_notice("e2" * 12)]
    magic.append(witness.magicrf_notice("bb7ebb00bb027ebb"))
    aadd = [witness.magicrf_frame(1, 3, b"\0M100", b"\xaa\xdd"), witness.magicrf_notice("aadd" * 3, -60, b"\xaa\xdd")]
    return [
        (
            FeigGrammar(from_host=False),
            witness.feig_claim,
            witness.feig_valid,
            [
                reply(0xB0, 1),
                reply(0xB0, 0, witness.feig_sets(A, B)),
                reply(0xB0, 0x94, witness.feig_sets(A), advanced=True),
                reply(0x65, 0, bytes(7)),
                reply(0xB0, 0x95, b"\x0f"),
            ],
        ),
        (
            FeigGrammar(from_host=True),
            lambda data, at: witness.feig_claim(data, at, from_host=True),
            lambda raw: witness.feig_valid(raw, from_host=True),
            [request(0xB0, b"\x01\x00"), request(0x69), request(0xB0, b"\x01\x80", advanced=True)],
        ),
        (MagicGrammar(), witness.magicrf_claim, witness.magicrf_valid, magic),
        (
            MagicGrammar(Framing.AADD),
            lambda data, at: witness.magicrf_claim(data, at, b"\xaa\xdd"),
            lambda raw: witness.magicrf_valid(raw, b"\xaa\xdd"),
            aadd,
        ),
    ]


def mixture(rng, frames):
    """Good, cut, damaged and repeated frames with noise between them."""
    parts = []
    for _ in range(rng.randint(1, 7)):
        frame = bytearray(rng.choice(frames))
        match rng.randrange(6):
            case 0:
                parts.append(rng.randbytes(rng.randint(1, 9)))
            case 1:
                del frame[rng.randrange(len(frame)) :]
            case 2:
                frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
            case 3:
                frame.insert(rng.randrange(len(frame)), rng.choice(frame))
            case _:
                pass
        parts.append(bytes(frame))
    return b"".join(parts)


@pytest.mark.parametrize("side", range(4))
@pytest.mark.parametrize("seed", range(4))
def test_finds_what_the_bare_rules_find(witness, side, seed):
    grammar, claim, valid, frames = sides(witness)[side]
    rng = random.Random(f"{side} {seed}")
    found = 0
    for _ in range(100):
        data = mixture(rng, frames)
        items, scanner = scan(grammar, data)
        wanted, pending = witness.naive_decode(data, claim, valid)
        assert raws(items) == [data[a:b] for a, b in wanted], data.hex()
        assert scanner.pending == pending, data.hex()
        found += len(wanted)
    assert found > 100


@pytest.mark.parametrize("side", range(4))
def test_the_split_changes_nothing(witness, side):
    grammar, _, _, frames = sides(witness)[side]
    rng = random.Random(side)
    for _ in range(150):
        data = mixture(rng, frames)
        whole, _ = scan(grammar, data)
        scanner = Scanner(grammar)
        items, at = [], 0
        while at < len(data):
            size = rng.choice([1, 1, 2, 5, 30])
            items += scanner.feed(data[at : at + size])
            at += size
        assert items + scanner.flush() == whole


def test_errors_and_frames_account_for_every_byte_once(witness):
    """Refusals come in order of the stream, do not begin inside one another, and what is not in a frame, a refusal or
    pending does not exist."""
    grammar, _, _, frames = sides(witness)[2]
    rng = random.Random(9)
    for _ in range(300):
        data = mixture(rng, frames)
        items, scanner = scan(grammar, data)
        told = [item for item in items if isinstance(item, Refused)]
        assert [item.at for item in told] == sorted({item.at for item in told})
        noise = sum(item.length for item in told if item.kind is ErrorKind.NOISE)
        assert noise == scanner.noise_bytes
        assert scanner.refused == len(told) - kinds(items).count(ErrorKind.NOISE)
        assert scanner.frames == len(raws(items))
        settled = len(data) - scanner.pending
        assert sum(map(len, raws(items))) + noise <= settled


def test_one_error_for_a_run_of_noise(witness):
    frame = witness.magicrf_frame(1, 0xFF, b"\x15")
    items, _ = scan(MagicGrammar(), bytes(range(9)) + frame + b"\x01\x02\x03" + frame)
    assert kinds(items) == [ErrorKind.NOISE, ErrorKind.NOISE]
    assert [(item.at, item.length) for item in items if isinstance(item, Refused)] == [(0, 9), (17, 3)]


def test_one_error_for_a_damaged_frame(feig):
    bad = bytearray(feig(A, B))
    bad[9] ^= 4
    items, _ = scan(FeigGrammar(from_host=False), bytes(bad) + feig(A))
    assert kinds(items) == [ErrorKind.BAD_CHECKSUM]
    assert raws(items) == [feig(A)]


def test_two_errors_for_two_damaged_frames(feig):
    bad = bytearray(feig(A, B))
    bad[9] ^= 4
    items, _ = scan(FeigGrammar(from_host=False), bytes(bad) * 2 + feig(A))
    assert kinds(items) == [ErrorKind.BAD_CHECKSUM] * 2


def test_a_good_frame_inside_a_damaged_one_is_found(witness, feig):
    inner = feig(A)
    outer = bytearray(witness.feig_reply(0x6E, 0, b"\x07" + inner + b"\x09"))
    outer[-1] ^= 1
    items, _ = scan(FeigGrammar(from_host=False), bytes(outer) + feig(B))
    assert raws(items) == [inner, feig(B)]
    assert ErrorKind.BAD_CHECKSUM in kinds(items)


def test_a_good_frame_inside_a_good_one_is_payload(witness, feig):
    outer = witness.feig_reply(0x6E, 0, feig(A))
    items, _ = scan(FeigGrammar(from_host=False), outer)
    assert raws(items) == [outer]
    inner = witness.magicrf_frame(1, 0xFF, b"\x15")
    outer = witness.magicrf_frame(1, 0x0B, inner)
    items, _ = scan(MagicGrammar(), outer)
    assert raws(items) == [outer]


def test_a_noise_byte_that_claims_a_long_frame_does_not_hide_the_frame_behind_it(feig):
    scanner = Scanner(FeigGrammar(from_host=False))
    assert scanner.feed(b"\xff" + feig(A)) == []
    assert scanner.pending == 1 + len(feig(A))
    items = scanner.flush()
    assert raws(items) == [feig(A)]
    assert kinds(items) == [ErrorKind.NOISE]
    assert scanner.pending == 0


def test_a_frame_that_breaks_off_before_a_good_one_is_told(witness):
    notice, empty = witness.magicrf_notice("e2" * 12), witness.magicrf_frame(1, 0xFF, b"\x15")
    items, scanner = scan(MagicGrammar(), notice[:7] + empty)
    assert raws(items) == [empty]
    assert kinds(items) == [ErrorKind.TRUNCATED]
    assert scanner.pending == 0


def test_a_truncated_notice_and_garbage_give_nothing(witness):
    notice = witness.magicrf_notice("e2" * 12)
    items, scanner = scan(MagicGrammar(), notice[:12] + b"\x55" * 9)
    assert (items, scanner.pending) == ([], 21)
    items, scanner = scan(MagicGrammar(), notice[:12] + b"\x55" * 40)
    assert (raws(items), kinds(items), scanner.pending) == ([], [ErrorKind.BAD_TERMINATOR, ErrorKind.NOISE], 0)


def test_pending_counts_from_the_unfinished_frame(feig):
    items, scanner = scan(FeigGrammar(from_host=False), feig(A) + b"\x00\x03" + feig(B)[:8])
    assert raws(items) == [feig(A)]
    assert scanner.pending == 8


@pytest.mark.parametrize("claim", [b"\x02\xff\xff", b"\x02\x10\x01", b"\x02\x20"])
def test_a_nonsense_length_is_refused_at_once(feig, claim):
    scanner = Scanner(FeigGrammar(from_host=False))
    assert kinds(scanner.feed(claim))[:1] == [ErrorKind.BAD_LENGTH]
    assert scanner.pending < len(claim)


def test_a_nonsense_magicrf_length_is_refused_at_once():
    for claim in (b"\xbb\x02\x22\x02\x01", b"\xbb\x02\x22\xff"):
        scanner = Scanner(MagicGrammar())
        assert kinds(scanner.feed(claim)) == [ErrorKind.BAD_LENGTH]
        assert scanner.pending == 0


def test_reset_forgets_a_partial_frame(feig):
    scanner = Scanner(FeigGrammar(from_host=False))
    scanner.feed(feig(A)[:9])
    assert scanner.reset() == 9
    assert scanner.noise_bytes == 9
    assert raws(scanner.feed(feig(B))) == [feig(B)]


HOSTILE = {
    "noise": lambda: random.Random(5).randbytes(25_000),
    "zeros": lambda: bytes(20_000),
    "ones": lambda: b"\xff" * 20_000,
    "nested advanced claims": lambda: b"\x02\x0f\xff" * 7_000,
    "nested short claims": lambda: b"\x06" * 20_000,
    "nested starts": lambda: b"\xbb\x00" * 10_000,
    "nested long claims": lambda: b"\xbb\x00\x22\x01\xf0" * 4_000,
    "ends that fit": lambda: b"\xbb\x00\x22\x00\x7e" * 4_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("chunk", [100_000, 61])
@pytest.mark.parametrize("grammar", [FeigGrammar(from_host=False), MagicGrammar()], ids=["feig", "magicrf"])
def test_work_is_linear_and_the_buffer_bounded(grammar, chunk, name, witness):
    """Each byte begins at most one examined candidate while bytes come in, and two more when the line falls silent in
    the buffered rest; a candidate costs at most its own (bounded) length in the checksum's C loop."""
    data = HOSTILE[name]()
    scanner = Scanner(grammar)
    frames = []
    for at in range(0, len(data), chunk):
        frames += raws(scanner.feed(data[at : at + chunk]))
        assert scanner.pending < grammar.max_length
        assert scanner.examined <= at + chunk + at // chunk + 1
    before = scanner.examined
    frames += raws(scanner.flush())
    assert scanner.examined - before <= 3 * grammar.max_length
    # 25,000 random candidates against a 16-bit CRC: one may be right by chance, and is right by any standard.
    assert len(frames) <= 3
    assert all(witness.feig_valid(frame) for frame in frames)


def test_work_grows_with_the_input_not_with_its_square():
    def work(size):
        scanner = Scanner(FeigGrammar(from_host=False))
        scanner.feed(random.Random(1).randbytes(size))
        scanner.flush()
        return scanner.examined

    assert work(40_000) < 4.5 * work(10_000)


def test_the_longest_advanced_frame_is_taken_whole(witness):
    frame = witness.feig_reply(0x6E, 0, bytes(ADVANCED_MAX_LENGTH - 8), advanced=True)
    assert len(frame) == ADVANCED_MAX_LENGTH
    items, _ = scan(FeigGrammar(from_host=False), frame)
    assert raws(items) == [frame]
