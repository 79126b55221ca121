"""Replay: feed a kept log to a kernel and compare every effect.

Same build, same inputs, same effects, bit for bit: this is where that is checked. The world starts from a snapshot,
takes every logged input in order, and the digest of each effect is compared with the one written at the time. The hard
part is what lies between the inputs: starts and rebuilds load the world anew (their snapshots take over), an input on
which the kernel raised must raise again, and a span that cannot be read ends the comparison until the next snapshot. A
user would notice a mistake as an explanation of a decision that was never taken so.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.domain.kernel import Kernel
from edge.runtime.kernels import KERNELS
from edge.runtime.replay_report import ReplayReport, words
from edge.runtime.replay_run import ReplayRun
from edge.storage.connect import FILE_NAME, open_reader
from edge.storage.errors import StoreError
from edge.storage.migrate import packaged

HASH_SEEDS = ("0", "1")
EXIT_DIFFERS = 1
EXIT_USAGE = 2
EXIT_UNREADABLE = 4
PROGRESS_EVERY_S = 2.0


def replay(
    store_dir: Path,
    kernel: Kernel[Any, Any],
    from_seq: int | None = None,
    to_seq: int | None = None,
    *,
    known_version: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ReplayReport:
    """Replay ``store_dir`` (a store's directory; its daemon may be running) from the newest snapshot before
    ``from_seq`` (None: the oldest input) to ``to_seq`` (None: the end). Inputs before ``from_seq`` only warm the world
    up.

    ``progress(seq, last)`` is called now and then. ``known_version`` replaces the schema version (tests). Raises
    StoreError when the store cannot be read at all ("absent", "newer", "schema", "damaged", "storage")."""
    path = store_dir / FILE_NAME
    began = time.monotonic()
    connection = open_reader(path, packaged(kernel.name)[-1].version if known_version is None else known_version)
    try:
        run = ReplayRun(connection, kernel, from_seq, to_seq)
        run.all(progress)
    except sqlite3.Error as error:
        raise StoreError("storage", f"{path} cannot be read: {error}") from error
    finally:
        connection.close()
    return run.report(str(path), time.monotonic() - began)


def main(argv: Sequence[str]) -> int:
    """The command: one JSON object on stdout, words on stderr. Returns 0 identical, 1 differences, 2 usage, 4 cannot
    read."""
    options = _parser().parse_args(argv)
    if options.store.name == FILE_NAME:
        options.store = options.store.parent
    try:
        options.vertical = options.vertical or _vertical_of(options.store)
        return _fresh(options) if options.fresh else _here(options)
    except StoreError as error:
        _say(f"replay: {error.text}")
        return EXIT_UNREADABLE
    except LookupError as error:
        _say(f"replay: {error.args[0]}")
        return EXIT_USAGE


def _vertical_of(store: Path) -> str:
    """The vertical that a store's directory is named after; LookupError says what to give instead."""
    name = store.resolve().name
    if name in KERNELS:
        return name
    if not (store / FILE_NAME).exists():
        raise LookupError(f"there is no {FILE_NAME} in {store}: give a store's directory, such as DIR/data/canteen")
    verticals = " or ".join(sorted(KERNELS))
    raise LookupError(f"{store} is named after no vertical: say whose it is, {verticals}, behind it")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kangle replay", description="Feed a kept log to its kernel and compare every effect."
    )
    parser.add_argument("store", type=Path, help="the store's directory, such as DIR/data/canteen")
    kernel_help = "canteen, garage or gym, or MODULE:NAME for a kernel of your own (default: the directory's name)"
    parser.add_argument("vertical", nargs="?", help=kernel_help)
    parser.add_argument("--from-seq", type=int, help="first input to compare (default: the oldest)")
    parser.add_argument("--to-seq", type=int, help="last input to compare (default: the newest)")
    parser.add_argument("--fresh", action="store_true", help="replay in two fresh processes under two hash seeds")
    parser.add_argument("--quiet", action="store_true", help="no words on stderr")
    return parser


def _here(options: argparse.Namespace) -> int:
    kernel = find_kernel(options.vertical)
    progress = _teller() if sys.stderr.isatty() and not options.quiet else None
    report = replay(options.store, kernel, options.from_seq, options.to_seq, progress=progress)
    _print_json(report)
    if not options.quiet:
        _say(words(report))
    return report.exit_code


def _fresh(options: argparse.Namespace) -> int:
    """Replay in a fresh process per hash seed, at the same time, and compare their chains."""
    find_kernel(options.vertical)
    command = [sys.executable, "-m", "edge.runtime.replay", str(options.store), options.vertical]
    for name, value in (("--from-seq", options.from_seq), ("--to-seq", options.to_seq)):
        command += [] if value is None else [name, str(value)]
    children = [
        subprocess.Popen([*command, "--quiet"], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE)
        for seed in HASH_SEEDS
    ]
    try:
        outputs = [child.communicate()[0] for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
    broken = [child.returncode for child, output in zip(children, outputs, strict=True) if not output]
    if broken:
        return EXIT_UNREADABLE if EXIT_UNREADABLE in broken else broken[0]
    reports = [msgspec.json.decode(output, type=ReplayReport) for output in outputs]
    same = len({report.chain for report in reports}) == 1
    _print_json(
        {
            **msgspec.to_builtins(reports[0]),
            "fresh": {"hash_seeds": HASH_SEEDS, "chains": [report.chain for report in reports], "same": same},
        }
    )
    if not options.quiet:
        _say(words(reports[0]))
        verdict = "give the same effects" if same else "DIFFER: an effect depends on the order of a set"
        _say(f"fresh processes under PYTHONHASHSEED {' and '.join(HASH_SEEDS)} {verdict}")
    return EXIT_DIFFERS if not same else max(report.exit_code for report in reports)


def find_kernel(name: str) -> Kernel[Any, Any]:
    """The kernel of a vertical, or of "module:name". Raises LookupError with the names that there are."""
    module_name, _, attribute = name.partition(":")
    if attribute:
        try:
            kernel: Kernel[Any, Any] = getattr(importlib.import_module(module_name), attribute)
        except (ImportError, AttributeError) as error:
            raise LookupError(f"no kernel {name}: {error}") from error
        return kernel
    if name not in KERNELS:
        raise LookupError(f"no vertical {name!r}; there are {', '.join(sorted(KERNELS))}")
    return KERNELS[name]().kernel


def _teller() -> Callable[[int, int], None]:
    last_s = time.monotonic()

    def tell(seq: int, end: int) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= PROGRESS_EVERY_S:
            last_s = time.monotonic()
            _say(f"replay: at seq {seq} of {end}")

    return tell


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
