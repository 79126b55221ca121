"""``kangle decode`` as a program sees it: lines in, objects out, exit codes."""

import io
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.decoding import main
from drivers.registry import PROTOCOLS, InputForm

EMPTY = {"frames": [], "errors": [], "pending_bytes": 0}
POLL = "bb00220000227e"


def run(protocol, words, stdin):
    """(exit status, objects, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    status = main(protocol, words, io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin, out, err)
    return (
        status,
        [json.loads(line, parse_constant=pytest.fail) for line in out.getvalue().splitlines()],
        err.getvalue(),
    )


def test_one_object_per_line_in_order_each_by_a_fresh_decoder():
    half = POLL[:6].encode()
    status, told, err = run("magicrf", [], half + b"\n" + POLL[6:].encode() + b"\n\n" + POLL.encode() + b"\n")
    assert (status, err) == (0, "")
    assert [item["pending_bytes"] for item in told] == [3, 0, 0, 0]
    assert [len(item["frames"]) for item in told] == [0, 0, 0, 1]
    assert told[2] == EMPTY
    assert all(set(item) == {"frames", "errors", "pending_bytes"} for item in told)


@pytest.mark.parametrize(
    ("stdin", "count"), [(b"", 0), (b"\n", 1), (b"bb", 1), (b"bb\n", 1), (b"\n\n", 2), (b"bb\n\nbb", 3)]
)
def test_how_many_lines_there_are(stdin, count):
    status, told, _ = run("magicrf", [], stdin)
    assert (status, len(told)) == (0, count)


@pytest.mark.parametrize(
    "line", [POLL.upper(), " bb 00 22 00 00 22 7e ", "bb0 0220000 227E", "B" * 1 + "b00220000227e"]
)
def test_hex_in_either_case_with_spaces(line):
    (told,) = run("magicrf", [], line.encode())[1]
    assert [frame["command_name"] for frame in told["frames"]] == ["single_poll"]
    assert told["errors"] == []


@pytest.mark.parametrize(
    "line",
    [
        b"bb0",
        b"zz",
        b"0xbb00",
        b"bb\t00",
        b"bb00220000227e\r",
        b"\x00",
        b"bb\x0000",
        b"\xff\xfe",
        b"bb\x85bb",
        "bb\u2028bb".encode(),
        "ｂｂ".encode(),
        b"\xef\xbb\xbfbb",
        b'{"topic": 1}',
        b"-1",
        b"b_b0",
    ],
)
def test_what_is_no_hex_is_bad_input(line):
    status, told, err = run("magicrf", [], POLL.encode() + b"\n" + line + b"\n" + POLL.encode() + b"\n")
    assert (status, err) == (0, "")
    assert [len(item["frames"]) for item in told] == [1, 0, 1]
    assert [error["kind"] for error in told[1]["errors"]] == ["bad_input"]
    assert told[1]["errors"][0]["detail"]
    assert told[1]["pending_bytes"] == 0


def test_the_detail_of_bad_input_says_where():
    (odd, wrong), *_ = [run("feig", [], b"abc\nab x1\n")[1]]
    assert "3 hex digits" in odd["errors"][0]["detail"]
    assert "0x78 at position 2" in wrong["errors"][0]["detail"]


def test_a_megabyte_in_one_line():
    line = POLL * 30_000
    (told,) = run("magicrf", [], line.encode())[1]
    assert len(told["frames"]) == 30_000
    (told,) = run("feig", [], b"0" * 200_000)[1]
    assert told["errors"] == [{"kind": "noise", "detail": "at byte 0: 100000 bytes that belong to no frame"}]
    (told,) = run("feig", [], b"g" * 2_000_000)[1]
    assert told["errors"][0]["kind"] == "bad_input"


def test_a_text_stream_will_do():
    assert run("magicrf", [], io.StringIO(POLL + "\n\udc80\n"))[1][0]["frames"]
    wrapped = io.TextIOWrapper(io.BytesIO(POLL.encode() + b"\n\xff\n"), encoding="utf-8")
    assert [len(item["frames"]) for item in run("magicrf", [], wrapped)[1]] == [1, 0]


@pytest.mark.parametrize(
    ("protocol", "words", "named"),
    [
        ("nosuch", [], ["nosuch", "feig", "magicrf"]),
        ("", [], ["feig"]),
        ("ocpp", [], ["did you mean ocpp16?", "feig"]),
        ("gbt26875", [], ["did you mean gb26875?"]),
        ("A55A", [], ["did you mean pressure_a55a?"]),
        ("feig", ["--from", "mars"], ["--from", "mars", "device", "host"]),
        ("feig", ["--from"], ["--from", "device", "host"]),
        ("feig", ["--from="], ["device", "host"]),
        ("feig", ["--framing", "bb7e"], ["--framing", "--from", "device|host"]),
        ("feig", ["from", "host"], ["from", "--from"]),
        ("feig", ["--from", "host", "more"], ["more"]),
        ("feig", ["--"], ["--from"]),
        ("magicrf", ["--framing", "BB7E"], ["BB7E", "bb7e", "aadd"]),
        ("magicrf", ["--from", "host"], ["--framing"]),
    ],
)
def test_a_wrong_command_line_says_what_is_allowed(protocol, words, named):
    status, told, err = run(protocol, words, POLL.encode() + b"\n")
    assert (status, told) == (2, [])
    assert all(name in err for name in named), err
    assert err.count("\n") == 1


def test_both_spellings_of_an_option():
    line = b"05ff65e5cb\n"
    for words in (["--from", "host"], ["--from=host"], ["--from", "device", "--from", "host"]):
        assert len(run("feig", words, line)[1][0]["frames"]) == 1
    assert run("feig", [], line)[1][0]["frames"] == []


class Pipe(io.StringIO):
    """Somebody read two lines and went away."""

    def write(self, text):
        if self.getvalue().count("\n") >= 2:
            raise BrokenPipeError
        return super().write(text)


def test_a_reader_that_goes_away_is_no_error():
    out = Pipe()
    assert main("magicrf", [], io.BytesIO(b"bb\n" * 100), out, io.StringIO()) == 0


class Watched(io.StringIO):
    flushed = 0

    def flush(self):
        self.flushed += 1


def test_output_is_flushed_at_the_end():
    out = Watched()
    main("magicrf", [], io.BytesIO(b"bb\n"), out, io.StringIO())
    assert out.flushed == 1


@given(
    st.lists(st.binary(max_size=60).filter(lambda data: b"\n" not in data), max_size=5),
    st.sampled_from(["feig", "magicrf"]),
)
def test_no_line_stops_the_stream(lines, protocol):
    status, told, err = run(protocol, [], b"".join(line + b"\n" for line in lines))
    assert (status, err, len(told)) == (0, "", len(lines))


@given(st.binary(max_size=300), st.sampled_from([("feig", ["--from", "host"]), ("feig", []), ("magicrf", [])]))
def test_errors_are_of_known_kinds_and_pending_is_a_tail(data, side):
    (told,) = run(*side, data.hex().encode() + b"\n")[1]
    kinds = {"bad_length", "bad_terminator", "bad_checksum", "bad_count", "bad_value", "truncated", "noise"}
    assert {error["kind"] for error in told["errors"]} <= kinds
    assert 0 <= told["pending_bytes"] <= len(data)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_registered_protocol_decodes_an_empty_line(name):
    (told,) = run(name, [], b"\n")[1]
    assert (told["frames"], told["pending_bytes"]) == ([], 0)
    if PROTOCOLS[name].form is InputForm.HEX:
        assert told == EMPTY
    else:
        assert told["errors"], "no message is not a message"


def test_as_a_process():
    run_it = "sys.exit(main('magicrf', [], sys.stdin, sys.stdout, sys.stderr))"
    code = f"import sys; from drivers.decoding import main; {run_it}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=b"\xff\xfe\nbb\n" + POLL.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert [len(json.loads(line)["frames"]) for line in done.stdout.splitlines()] == [0, 0, 1]
