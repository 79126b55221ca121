"""``kangle sim``: the group of its words, and how they reach the simulated garage and gym of a running demo.

Some words mean the same in both (a card, a cable, mend): the garage is asked first, and the gym when the garage has
nothing of that name. A user would notice a mistake as a treadmill that is looked for among the sockets.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import click

from edge.cli_errors import FAILED, UNREACHABLE, CliError

HELP = {"help_option_names": ["-h", "--help"]}
#: How a simulator begins to say that it has nothing of that name.
NO_SUCH = "there is no "


@click.group(context_settings=HELP)
@click.option(
    "--socket",
    "control",
    type=click.Path(path_type=Path),
    help="Control socket of a simulated garage or gym (default: those of the newest running demo).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the simulator's answer as JSON.")
@click.pass_context
def sim(context: click.Context, control: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Set the running demo's garage on fire, pull a plug, let a heart race. `kangle sim list` shows all names."""
    context.obj = (control, as_json)


def ask(context: click.Context, operation: str, *, of: str = "garage", **fields: Any) -> dict[str, Any]:
    """The simulator's answer; a refusal or an absent demo ends the command with words."""
    from edge.demo_control import AwayError, RefusedError, ask_simulator

    try:
        answer = ask_simulator(of, context.obj[0], {"op": operation, **fields})
    except AwayError as error:
        raise CliError(str(error), UNREACHABLE) from None
    except RefusedError as error:
        raise CliError(str(error), FAILED) from None
    return _told(context, answer)


def ask_either(context: click.Context, operation: str, **fields: Any) -> dict[str, Any]:
    """The answer of the garage or, where it has nothing of that name, of the gym."""
    from edge.demo_control import GARAGE, GYM, AwayError, RefusedError, ask_simulator

    control = context.obj[0]
    refused: list[str] = []
    for simulator in (GARAGE, GYM) if control is None else (GARAGE,):
        try:
            return _told(context, ask_simulator(simulator, control, {"op": operation, **fields}))
        except RefusedError as error:
            refused.append(str(error))
            if not str(error).startswith(NO_SUCH):
                break
        except AwayError as error:
            if simulator == GARAGE:
                raise CliError(str(error), UNREACHABLE) from None
    raise CliError("\n".join(refused), FAILED)


def ask_both(context: click.Context, operation: str, **fields: Any) -> dict[str, Any]:
    """The garage's answer; the gym, where there is one, is asked the same."""
    from edge.demo_control import GYM, AwayError, ask_simulator

    answer = ask(context, operation, **fields)
    if context.obj[0] is None:
        with contextlib.suppress(AwayError):  # a garage that runs alone
            ask_simulator(GYM, None, {"op": operation, **fields})
    return answer


def state_of(context: click.Context) -> dict[str, Any]:
    """The garage's state with the gym's under ``gym``; with a socket that was named, the state of whoever answers."""
    from edge.demo_control import GARAGE, GYM, AwayError, RefusedError, ask_simulator

    control = context.obj[0]
    try:
        state = ask_simulator(GARAGE, control, {"op": "state"})
        if control is None:
            state["gym"] = _gym_state()
    except (AwayError, RefusedError) as error:
        raise CliError(str(error), UNREACHABLE if isinstance(error, AwayError) else FAILED) from None
    if "machines" in state:
        state = {GYM: state}
    return _told(context, state)


def _gym_state() -> dict[str, Any]:
    from edge.demo_control import GYM, AwayError, ask_simulator

    try:
        return ask_simulator(GYM, None, {"op": "state"})
    except AwayError:
        return {}


def _told(context: click.Context, answer: dict[str, Any]) -> dict[str, Any]:
    if context.obj[1]:
        click.echo(json.dumps(answer, ensure_ascii=False))
    return answer


def say(context: click.Context, text: str) -> None:
    """Words for the person, unless the answer was wanted as JSON."""
    if not context.obj[1]:
        click.echo(text, err=True)
