"""``kangle sim``: break the running demo's garage, and mend it. It finds the demo by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from edge.cli_errors import FAILED, UNREACHABLE, CliError

HELP = {"help_option_names": ["-h", "--help"]}


@click.group(context_settings=HELP)
@click.option(
    "--socket",
    "control",
    type=click.Path(path_type=Path),
    help="Control socket of a simulated garage (default: that of the newest running demo).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the simulator's answer as JSON.")
@click.pass_context
def sim(context: click.Context, control: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Set the running demo's garage on fire, weld a contact, pull a plug. `kangle sim list` shows all names."""
    context.obj = (control, as_json)


def ask(context: click.Context, operation: str, **fields: Any) -> dict[str, Any]:
    """The simulator's answer; a refusal or an absent demo ends the command with words."""
    from edge.demo_control import AwayError, RefusedError, ask_garage

    control, as_json = context.obj
    try:
        answer = ask_garage(control, {"op": operation, **fields})
    except AwayError as error:
        raise CliError(str(error), UNREACHABLE) from None
    except RefusedError as error:
        raise CliError(str(error), FAILED) from None
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    return answer


def say(context: click.Context, text: str) -> None:
    """Words for the person, unless the answer was wanted as JSON."""
    if not context.obj[1]:
        click.echo(text, err=True)


@sim.command("list")
@click.pass_context
def show(context: click.Context) -> None:
    """Show zones, ports and heads with what is true of them."""
    from edge.cli_sim_table import render

    state = ask(context, "state")
    if not context.obj[1]:
        click.echo(render(state))


def _zone_command(operation: str, words: str, done: str) -> None:
    @sim.command(operation, help=words)
    @click.argument("zone")
    @click.pass_context
    def command(context: click.Context, zone: str) -> None:
        answer = ask(context, operation, zone=zone)
        say(context, done.format(**answer))


def _port_command(operation: str, words: str, done: str) -> None:
    @sim.command(operation, help=words)
    @click.argument("port")
    @click.pass_context
    def command(context: click.Context, port: str) -> None:
        answer = ask(context, operation, port=port)
        say(context, done.format(**answer))


def _head_command(operation: str, words: str, done: str) -> None:
    @sim.command(operation, help=words)
    @click.argument("head")
    @click.pass_context
    def command(context: click.Context, head: str) -> None:
        answer = ask(context, operation, head=head)
        say(context, done.format(**answer))


def _named_command(operation: str, words: str, done: str) -> None:
    @sim.command(operation, help=words)
    @click.argument("name", metavar="PORT|ZONE")
    @click.pass_context
    def command(context: click.Context, name: str) -> None:
        answer = ask(context, operation, name=name)
        say(context, done.format(what=answer.get("port") or answer.get("contactor")))


@sim.command()
@click.argument("zone")
@click.option("--one", is_flag=True, help="A little, that only one head notices: chargers are cut, no full alarm.")
@click.pass_context
def smoke(context: click.Context, zone: str, one: bool) -> None:  # noqa: FBT001
    """Let smoke spread in ZONE, from head to head."""
    answer = ask(context, "smoke", zone=zone, one=one)
    say(context, f"smoke in {answer['zone']}; `kangle sim clear {answer['zone']}` lets it out")


_zone_command("clear", "Let the smoke out of ZONE, pull buttons back.", "{zone} is being aired")
_zone_command("heat", "Heat the heat head of ZONE.", "{head} is hot")
_zone_command("gas", "Gas at the gas head of ZONE.", "{head} smells gas")
_zone_command("call", "Press the call point of ZONE.", "{head} is pressed; clear pulls it back")
_zone_command("panel", "The building's panel reports fire in ZONE.", "{head} reports fire")
_zone_command("key", "Turn the reset key of ZONE.", "{head} was turned")


@sim.command()
@click.argument("port")
@click.option("--no-start", is_flag=True, help="Plug the bike in and ask nobody for power.")
@click.pass_context
def plug(context: click.Context, port: str, no_start: bool) -> None:  # noqa: FBT001
    """Plug a bike in at PORT and ask for power with a card."""
    answer = ask(context, "plug", port=port, start=not no_start)
    code = answer["start"]
    charging = {"ok": "; it may charge", "": ""}.get(code, f"; charging was refused: {code}")
    say(context, f"a bike is plugged in at {answer['port']}{charging}")


_port_command("unplug", "Take the bike away from PORT.", "{port} is empty")
_port_command("swap", "Put another bike in the place of the one at PORT.", "{bike} hangs at {port}")
_port_command("splitter", "Hang a second bike on PORT.", "{bikes} hang at {port}")
_port_command("loose", "Make the plug at PORT loose.", "the plug at {port} is loose")
_port_command("overload", "Let the bike at PORT draw 700 W more.", "{port} is overloaded")
_port_command("stuck", "Let the meter of PORT repeat itself for ever.", "the meter of {port} is stuck")
_port_command("reboot", "Cut the plug's power for a moment; it comes back ON.", "{port} was restarted and returned on")
_port_command("dark", "Let the plug or meter of PORT fall silent.", "{port} is silent")
_named_command("weld", "Weld the contact of PORT, or of the contactor of ZONE.", "{what} never opens again")
_named_command("lie", "Let PORT, or the contactor of ZONE, confirm OFF and do nothing.", "{what} lies")
_head_command("dead", "Empty the battery of HEAD.", "{head} is dead")
_head_command("blind", "Put a bag over HEAD.", "{head} notices nothing")
_head_command("jam", "Let HEAD say alarm for ever.", "{head} says alarm for ever")
_head_command("stale", "Leave an old retained smoke of HEAD at the broker.", "an old smoke of {head} is at the broker")


@sim.command()
@click.argument("door")
@click.argument("number", default="", metavar="[CARD]")
@click.option("--prop", is_flag=True, help="Whoever comes in puts a wedge below the door.")
@click.pass_context
def card(context: click.Context, door: str, number: str, prop: bool) -> None:  # noqa: FBT001
    """Show CARD ("facility:number"; default: one that opens) to the reader of DOOR and walk in."""
    answer = ask(context, "card", door=door, card=number, prop=prop)
    done = "the lock let go, somebody walks in" if answer["opened"] else "the lock held"
    say(context, f"card {answer['card']} at {answer['door']}: {done}")


def _door_command(operation: str, words: str, done: str) -> None:
    @sim.command(operation, help=words)
    @click.argument("door")
    @click.pass_context
    def command(context: click.Context, door: str) -> None:
        answer = ask(context, operation, door=door)
        say(context, done.format(**answer))


_door_command("force", "Break DOOR open.", "{door} stands open, and nobody was let in")
_door_command("shut", "Shut DOOR.", "{door} is shut")


def _switch(operation: str, words: str, field: str = "on") -> None:
    @sim.command(operation, help=words)
    @click.argument("state", type=click.Choice(["on", "off"]))
    @click.pass_context
    def command(context: click.Context, state: str) -> None:
        ask(context, operation, **{field: state == "on"})
        say(context, f"{operation}: {state}")


_switch("gateway", "Switch the radio network of all heads off or on.")
_switch("people", "Let neighbours come by themselves, or not.")


@sim.command()
@click.argument("wire")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_context
def cable(context: click.Context, wire: str, state: str) -> None:
    """Cut the cable of WIRE (a bus or relay board), or mend it."""
    ask(context, "cable", wire=wire, on=state == "on")
    say(context, f"the cable of {wire} is {'whole' if state == 'on' else 'cut'}")


@sim.command()
@click.pass_context
def broker(context: click.Context) -> None:
    """Stop the MQTT broker; the demo starts it anew."""
    ask(context, "broker")
    say(context, "the broker restarts")


@sim.command()
@click.argument("times", type=click.IntRange(1, 3600))
@click.pass_context
def speed(context: click.Context, times: int) -> None:
    """Let batteries fill TIMES faster."""
    ask(context, "speed", times=times)
    say(context, f"batteries fill {times} times faster")


@sim.command()
@click.argument("name", default="", metavar="[ZONE|PORT|HEAD]")
@click.pass_context
def mend(context: click.Context, name: str) -> None:
    """Mend everything, or one zone, port or head."""
    answer = ask(context, "mend", name=name)
    say(context, f"mended: {answer['mended']}")


def _json_too(context: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's
    """``--json`` after the name of the operation means the same as before it."""
    if wanted:
        context.obj = (context.obj[0], True)


for _command in sim.commands.values():
    _option = click.Option(
        ["--json"], is_flag=True, expose_value=False, callback=_json_too, help="Print the simulator's answer as JSON."
    )
    _command.params.append(_option)
