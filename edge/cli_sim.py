"""``kangle sim``: break the running demo's garage, and mend it. What can be done in its gym is in ``cli_sim_gym``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from edge import cli_sim_gym
from edge.cli_sim_ask import ask, ask_both, ask_either, say, sim, state_of

__all__ = ["sim"]

cli_sim_gym.register()


@sim.command("list")
@click.pass_context
def show(context: click.Context) -> None:
    """Show zones, ports and heads, machines and people, with what is true of them."""
    from edge.cli_sim_table import render

    state = state_of(context)
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


@sim.command(help="Weld the contact of PORT, or of the contactor of ZONE.")
@click.argument("name", metavar="PORT|ZONE")
@click.pass_context
def weld(context: click.Context, name: str) -> None:
    answer = ask(context, "weld", name=name)
    say(context, f"{answer.get('port') or answer.get('contactor')} never opens again")


@sim.command(help="Let PORT, or the contactor of ZONE, confirm OFF and do nothing; let MACHINE say speed 0 for ever.")
@click.argument("name", metavar="PORT|ZONE|MACHINE")
@click.pass_context
def lie(context: click.Context, name: str) -> None:
    answer = ask_either(context, "lie", name=name)
    say(context, f"{answer.get('port') or answer.get('contactor') or answer.get('asset')} lies")


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
_head_command("dead", "Empty the battery of HEAD.", "{head} is dead")
_head_command("blind", "Put a bag over HEAD.", "{head} notices nothing")
_head_command("jam", "Let HEAD say alarm for ever.", "{head} says alarm for ever")
_head_command("stale", "Leave an old retained smoke of HEAD at the broker.", "an old smoke of {head} is at the broker")


@sim.command()
@click.argument("place", metavar="DOOR|MACHINE|DESK")
@click.argument("who", default="", metavar="[CARD|PERSON]")
@click.option("--prop", is_flag=True, help="Whoever comes in puts a wedge below the door.")
@click.pass_context
def card(context: click.Context, place: str, who: str, prop: bool) -> None:  # noqa: FBT001
    """Show CARD ("facility:number"; default: one that opens) to the reader of DOOR and walk in, or the card of PERSON
    to the reader of MACHINE or DESK."""
    answer = ask_either(context, "card", door=place, card=who, prop=prop, name=place, who=who)
    if "door" not in answer:
        say(context, f"{answer['who']} shows card {answer['card']} at {answer['name']}")
        return
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


def _switch(operation: str, words: str, ask_it: Callable[..., Any]) -> None:
    @sim.command(operation, help=words)
    @click.argument("state", type=click.Choice(["on", "off"]))
    @click.pass_context
    def command(context: click.Context, state: str) -> None:
        ask_it(context, operation, on=state == "on")
        say(context, f"{operation}: {state}")


_switch("gateway", "Switch the radio network of all heads off or on.", ask)
_switch("people", "Let neighbours and visitors come by themselves, or not.", ask_both)


@sim.command()
@click.argument("wire")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_context
def cable(context: click.Context, wire: str, state: str) -> None:
    """Cut the cable of WIRE (a bus, relay board or console), or mend it."""
    ask_either(context, "cable", wire=wire, on=state == "on")
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
@click.argument("name", default="", metavar="[ZONE|PORT|HEAD|MACHINE]")
@click.pass_context
def mend(context: click.Context, name: str) -> None:
    """Mend everything, or one zone, port, head or machine."""
    answer = ask_either(context, "mend", name=name) if name else ask_both(context, "mend")
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
