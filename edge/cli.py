"""The ``kangle`` command inside its environment.

Each command's code is imported only when that command runs: ``--help`` and ``decode`` load neither click nor any part
of the service, and a process of the site does not load click. Data goes to stdout, text for people to stderr; expected
failures are one line and an exit status.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from edge.cli_commands import COMMANDS, help_text, unknown_text
from edge.cli_errors import INTERRUPTED, OK, UNREACHABLE, USAGE, CliError


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``kangle``; exits the process."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = dispatch(words)
        sys.stdout.flush()
    except CliError as error:
        print(f"kangle: {error}", file=sys.stderr)
        status = error.status
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = OK
    except PermissionError as error:
        what = f"{error.filename}: this user may not do that. Run it as the user that the site runs as, or as root"
        print(f"kangle: {what}", file=sys.stderr)
        status = UNREACHABLE
    sys.exit(status)


def dispatch(words: Sequence[str]) -> int:
    """Run one command; returns its exit status."""
    if not words or words[0] in {"-h", "--help", "help"}:
        print(help_text(), file=sys.stdout if words else sys.stderr)
        return OK if words else USAGE
    name, *rest = words
    if name == "--version":
        name = "version"
    if name.startswith("-"):
        raise CliError(f"there is no option {name!r}. Try: kangle --help", USAGE)
    if name not in COMMANDS:
        print(unknown_text(name), file=sys.stderr)
        return USAGE
    if name == "run":
        from edge.cli_start import plainly, start

        if (process := plainly(rest)) is not None:
            return start(*process)
    module, attribute, _, _ = COMMANDS[name]
    command = getattr(import_module(module), attribute)
    if name == "decode":
        return int(command(rest))
    from edge.cli_click import invoke

    return invoke(command, f"kangle {name}", rest)


if __name__ == "__main__":
    main()
