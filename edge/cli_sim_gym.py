"""The words of ``kangle sim`` for the demo's gym: who trains, whose heart races, what breaks."""

from __future__ import annotations

import click

from edge.cli_sim_ask import ask, say, sim

GYM = "gym"


def _machine_word(operation: str, words: str, done: str) -> None:
    @sim.command(operation, help=words)
    @click.argument("machine")
    @click.pass_context
    def command(context: click.Context, machine: str) -> None:
        answer = ask(context, operation, of=GYM, asset=machine)
        say(context, done.format(**answer))


@click.command()
@click.argument("machine")
@click.argument("who", default="", metavar="[PERSON]")
@click.option("--percent", type=click.IntRange(5, 100), default=40, show_default=True, help="Effort.")
@click.pass_context
def train(context: click.Context, machine: str, who: str, percent: int) -> None:
    """Let somebody train on MACHINE until told to leave; measured first where the room asks for it."""
    answer = ask(context, "train", of=GYM, asset=machine, who=who, percent=percent)
    say(context, f"{answer['who']} trains on {answer['asset']}")


@click.command()
@click.argument("machine")
@click.argument("percent", type=click.IntRange(5, 100))
@click.pass_context
def effort(context: click.Context, machine: str, percent: int) -> None:
    """Let whoever is on MACHINE try harder, or less hard."""
    answer = ask(context, "effort", of=GYM, asset=machine, percent=percent)
    say(context, f"{percent} % on {answer['asset']}")


@click.command()
@click.argument("machine")
@click.argument("bpm", type=click.IntRange(0, 230))
@click.pass_context
def pulse(context: click.Context, machine: str, bpm: int) -> None:
    """Let the heart of whoever is on MACHINE go to BPM (0: as it is); somebody comes when nobody is on it."""
    answer = ask(context, "pulse", of=GYM, asset=machine, bpm=bpm)
    course = f"goes to {bpm}" if bpm else "is let be"
    say(context, f"the pulse of {answer['who'] or 'nobody'} on {answer['asset']} {course}")


@click.command()
@click.argument("machine")
@click.argument("state", type=click.Choice(["on", "off"]), default="off")
@click.pass_context
def strap(context: click.Context, machine: str, state: str) -> None:
    """Let the heart strap at MACHINE slip off, or put it on again."""
    answer = ask(context, "strap", of=GYM, asset=machine, on=state == "on")
    say(context, f"the strap at {answer['asset']} is {state}")


@click.command()
@click.argument("who", metavar="PERSON")
@click.argument("systolic", type=click.IntRange(40, 300), default=128)
@click.argument("diastolic", type=click.IntRange(20, 250), default=78)
@click.argument("bpm", type=click.IntRange(20, 250), default=70)
@click.pass_context
def measure(context: click.Context, who: str, systolic: int, diastolic: int, bpm: int) -> None:
    """Measure PERSON at the desk, with these values."""
    answer = ask(context, "measure", of=GYM, who=who, systolic=systolic, diastolic=diastolic, pulse=bpm)
    say(context, f"{answer['who']} is measured: {systolic}/{diastolic} mmHg, {bpm} bpm")


@click.command()
@click.argument("laps", type=click.IntRange(1, 100), default=1)
@click.pass_context
def jog(context: click.Context, laps: int) -> None:
    """Let somebody with a tag set out on the trail."""
    answer = ask(context, "jog", of=GYM, laps=laps)
    say(context, f"tag {answer['tag']} sets out on {answer['trail']}")


@click.command()
@click.argument("machine")
@click.argument("code", type=click.IntRange(0, 65_535), default=17)
@click.pass_context
def fault(context: click.Context, machine: str, code: int) -> None:
    """Let the console of MACHINE show error CODE and stand still; 0 takes it away."""
    answer = ask(context, "fault", of=GYM, asset=machine, code=code)
    say(context, f"{answer['asset']} shows error {code}" if code else f"{answer['asset']} shows no error")


@click.command()
@click.argument("room")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_context
def bluetooth(context: click.Context, room: str, state: str) -> None:
    """Unplug the Bluetooth gateway of ROOM, or plug it in."""
    answer = ask(context, "bluetooth", of=GYM, room=room, on=state == "on")
    say(context, f"the gateway of {answer['room']} is {state}")


def register() -> None:
    """Put the words into the group."""
    for command in (train, effort, pulse, strap, measure, jog, fault, bluetooth):
        sim.add_command(command)
    _machine_word("leave", "Let whoever is on MACHINE go.", "{asset} is left")
    _machine_word("pause", "Let whoever is on MACHINE stand still.", "a pause on {asset}")
    _machine_word("resume", "Let whoever is on MACHINE go on.", "{asset} goes on")
    _machine_word("silence", "Let MACHINE fall silent and go on working.", "{asset} says nothing more")
    _machine_word("reset", "Switch the console of MACHINE off and on in a workout.", "{asset} counts from 0")
    _machine_word("belt", "Let the belt of MACHINE drag: its motor runs hot.", "the belt of {asset} drags")
    _machine_word("trip", "Pull the safety key of MACHINE.", "the key of {asset} is pulled")
