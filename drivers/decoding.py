"""``kangle decode PROTOCOL``: one JSON object per input line, made by the very decoders of the service.

The hard part is to survive any input: lines may be empty, megabytes long, invalid UTF-8, or hold NUL; a carriage return
is not a line end. The contract is reference/decode-contract.md; a user would notice a breach as a support tool that
stops in the middle of a log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import IO, Any, TextIO

from drivers.buffer import Refusal
from drivers.decoded import Decoded
from drivers.packets import error_of, unhex
from drivers.registry import PROTOCOLS, Entry, FreeOption, InputForm, decode_option_form

EXIT_OK = 0
EXIT_USAGE = 2


class UsageError(Exception):
    """The command line is wrong; the text says what is allowed."""


def main(protocol: str, options: Sequence[str], stdin: IO[Any], stdout: TextIO, stderr: TextIO) -> int:
    """Decode every line of ``stdin``. ``options`` are the words behind PROTOCOL, such as ``["--from", "host"]``.

    ``stdin`` is a binary stream, or a text stream with a binary ``buffer`` (as sys.stdin has). Returns the exit status.
    """
    try:
        entry = find_entry(protocol)
        values = parse_options(entry.decode_options, options)
    except UsageError as error:
        stderr.write(f"kangle decode: {error}\n")
        return EXIT_USAGE
    try:
        for line in getattr(stdin, "buffer", stdin):
            raw = line.encode("utf-8", "replace") if isinstance(line, str) else line
            stdout.write(to_json(decode_line(entry, raw.removesuffix(b"\n"), values)) + "\n")
        stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has had enough (`| head`); there is nobody left to tell.
        return EXIT_OK
    return EXIT_OK


def find_entry(protocol: str) -> Entry:
    """The registry's entry; UsageError names the known protocols."""
    entry = PROTOCOLS.get(protocol)
    if entry is None:
        raise UsageError(f"unknown protocol {protocol!r};{_meant(protocol)} known: {', '.join(PROTOCOLS)}")
    return entry


def _meant(protocol: str) -> str:
    """A hint: the known name that holds the word, or is the nearest to it; "" when none is near."""
    word = protocol.lower()
    near = [name for name in PROTOCOLS if len(word) > 2 and word in name] or get_close_matches(word, PROTOCOLS, n=1)
    return f" did you mean {near[0]}?" if near else ""


def parse_options(allowed: Mapping[str, tuple[str, ...] | FreeOption], words: Sequence[str]) -> dict[str, str]:
    """Option values by name, defaults filled in. Takes ``--name value`` and ``--name=value``; the last one counts."""
    values = {name: option.default if isinstance(option, FreeOption) else option[0] for name, option in allowed.items()}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in allowed:
            known = ", ".join(f"--{option} {decode_option_form(allowed[option])}" for option in allowed)
            raise UsageError(f"unknown option {word!r}; known: {known or 'none'}")
        if not equals:
            value = rest.pop(0) if rest else ""
        option = allowed[name]
        if isinstance(option, FreeOption):
            if re.fullmatch(option.pattern, value) is None:
                raise UsageError(f"--{name} is {value!r}; allowed: {option.form}")
        elif value not in option:
            raise UsageError(f"--{name} is {value!r}; allowed: {', '.join(option)}")
        values[name] = value
    return values


def decode_line(entry: Entry, line: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line (without its line feed) with a fresh decoder."""
    if entry.form is InputForm.RAW:
        return entry.decode(line, options)
    data = unhex(line)
    if isinstance(data, Refusal):
        return Decoded([], [error_of(data)])
    return entry.decode(data, options)


def to_json(decoded: Decoded) -> str:
    """One line of strict JSON."""
    return json.dumps(decoded._asdict(), allow_nan=False, separators=(",", ":"))
