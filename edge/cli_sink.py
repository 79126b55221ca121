"""``kangle sink``: how far each sink is, and what to do with the lines that it refused.

Looking reads the files, beside whoever writes them. Acting asks ``kangle run history``, which alone writes cursors and
quarantine, so nothing is done behind the back of a sink at work. A line is named by daemon and number (``garage.12``).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli_click import site_option
from edge.cli_errors import FAILED, UNREACHABLE, CliError
from edge.cli_store import json_option, telling
from edge.cli_store_look import sink_line

if TYPE_CHECKING:
    from edge.runtime.history_messages import ActDone, SinkAct
    from edge.site import Site
    from edge.storage.sinks.quarantine import AsideItem

STATES = {0: "", 1: " [to be sent again]", 2: " [sent again, not certain yet]"}
sink_option = click.option("--sink", "sink_name", help="Only this sink.")
all_option = click.option("--all", "everything", is_flag=True, help="All lines of --sink.")


@click.group()
def sink() -> None:
    """How far each sink is, and the lines that it refused: list them, send them again, drop them."""


@sink.command("list")
@json_option
@site_option
def list_sinks(as_json: bool, site_dir: Path) -> None:  # noqa: FBT001 - click gives it by name
    """Health and lag of every sink, in inputs, samples, bytes and time. Also while the history process is away."""
    import msgspec

    from edge.cli_site import load_site_or_fail
    from edge.cli_store import stores_of
    from edge.storage.info import site_info

    site = load_site_or_fail(site_dir)
    if not site.data_dir.is_dir():
        raise CliError(f"{site.data_dir} holds no store yet: start the site once", UNREACHABLE)
    stores = [store for store in stores_of(site) if store.is_samples or store.is_facts]
    found = {
        each.name.partition("/")[0]: each.sinks
        for each in site_info(site.data_dir, stores, site.data_dir / "backups", "*").stores
        if each.sinks
    }
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for vertical, sinks in found.items():
        for each in sinks:
            click.echo(f"{vertical}: {sink_line(each)}")
            if each.reason:
                click.echo(f"    {each.reason}")
    named = {(vertical, each.sink) for each in site.sinks for vertical in each.verticals}
    for vertical, sinks in found.items():
        for name in sorted(each.sink for each in sinks if (vertical, each.sink) not in named):
            click.echo(f"kangle: the site file names no sink {name}: kangle sink forget {name}", err=True)
    if not found:
        click.echo("kangle: no sink has a cursor yet", err=True)


@sink.command()
@sink_option
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="So many of each daemon.")
@json_option
@site_option
def aside(sink_name: str | None, limit: int, as_json: bool, site_dir: Path) -> None:  # noqa: FBT001 - by name
    """The lines that a sink refused, oldest first, each with the reason."""
    import msgspec

    from edge.cli_site import load_site_or_fail

    found = _lines(load_site_or_fail(site_dir), sink_name or "", limit)
    if as_json:
        told = [{"ref": f"{vertical}.{item.id}", **_plain(item)} for vertical, item in found]
        click.echo(msgspec.json.encode(told).decode())
        return
    for vertical, item in found:
        at = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(item.wall_ns // 1_000_000_000))
        state = STATES[item.again] if item.sent else " [never was a line: cannot be sent]"
        click.echo(f"{vertical}.{item.id}  sink {item.sink}  {at}{state}\n    {item.reason}\n    {item.line}")
    if not found:
        click.echo("kangle: nothing is set aside", err=True)


@sink.command()
@click.argument("refs", nargs=-1)
@sink_option
@all_option
@json_option
@site_option
def resend(
    refs: tuple[str, ...],
    sink_name: str | None,
    everything: bool,  # noqa: FBT001 - click gives it by name
    as_json: bool,  # noqa: FBT001 - click gives it by name
    site_dir: Path,
) -> int:
    """Send set-aside lines again: REFS such as garage.12, or --sink NAME --all. First mend what the sink refused.

    A line leaves the list when the sink has it for certain, a minute later; one that is refused again stays."""
    from edge.runtime.history_messages import SinkAct

    return _act_on_lines(SinkAct.RESEND, refs, sink_name, site_dir, everything=everything, as_json=as_json)


@sink.command()
@click.argument("refs", nargs=-1)
@sink_option
@all_option
@json_option
@site_option
def drop(
    refs: tuple[str, ...],
    sink_name: str | None,
    everything: bool,  # noqa: FBT001 - click gives it by name
    as_json: bool,  # noqa: FBT001 - click gives it by name
    site_dir: Path,
) -> int:
    """Delete set-aside lines for good: REFS such as garage.12, or --sink NAME --all."""
    from edge.runtime.history_messages import SinkAct

    return _act_on_lines(SinkAct.DROP, refs, sink_name, site_dir, everything=everything, as_json=as_json)


@sink.command()
@click.argument("name")
@json_option
@site_option
def forget(name: str, as_json: bool, site_dir: Path) -> int:  # noqa: FBT001 - click gives it by name
    """Delete the cursor and set-aside lines of a sink that the site file names no longer.

    Until then its samples count as not sent, and go last when space runs out."""
    from edge.cli_site import load_site_or_fail
    from edge.runtime.history_messages import SinkAct

    site = load_site_or_fail(site_dir)
    if any(each.sink == name for each in site.sinks):
        raise CliError(f"the site file names sink {name}: take it out and restart the history first", FAILED)
    _refuse_unknown(site, name)
    done = {each: _ask(site, each, name, SinkAct.FORGET, None) for each in _verticals(site)}
    return _tell(SinkAct.FORGET, done, as_json=as_json)


def _verticals(site: Site) -> list[str]:
    from edge.storage.seal_mark import SAMPLES_FILE

    found = [name for name in site.verticals if (site.data_dir / name / SAMPLES_FILE).exists()]
    if not found:
        raise CliError(f"{site.data_dir} holds no samples yet: start the site once", UNREACHABLE)
    return found


def _refuse_unknown(site: Site, sink_name: str) -> None:
    """A mistyped name is not "nothing to do"."""
    import sqlite3

    from edge.storage.seal_mark import SAMPLES_FILE
    from edge.storage.sinks.cursors import sinks_in

    try:
        known = set().union(*(sinks_in(site.data_dir / each / SAMPLES_FILE) for each in _verticals(site)))
    except sqlite3.Error as error:
        raise CliError(f"samples.db cannot be read: {error}", UNREACHABLE) from None
    if sink_name not in known:
        raise CliError(f"there is no sink {sink_name}; there are: {', '.join(sorted(known)) or 'none'}", FAILED)


def _lines(site: Site, sink_name: str, limit: int | None = None) -> list[tuple[str, AsideItem]]:
    """The set-aside lines of each daemon, at most ``limit`` of each."""
    import sqlite3

    from edge.storage.seal_mark import SAMPLES_FILE
    from edge.storage.sinks.quarantine import read_aside

    found: list[tuple[str, AsideItem]] = []
    with telling():
        for vertical in _verticals(site):
            try:
                items = read_aside(site.data_dir / vertical / SAMPLES_FILE, sink_name, limit)
            except sqlite3.Error as error:
                raise CliError(f"{vertical}: samples.db cannot be read: {error}", UNREACHABLE) from None
            found += [(vertical, item) for item in items]
    return found


def _plain(item: AsideItem) -> dict[str, object]:
    return {name: getattr(item, name) for name in item.__struct_fields__ if name != "id"}


def _act_on_lines(
    act: SinkAct, refs: tuple[str, ...], sink_name: str | None, site_dir: Path, *, everything: bool, as_json: bool
) -> int:
    from edge.cli_site import load_site_or_fail

    if bool(refs) is everything or (everything and not sink_name):
        raise click.UsageError("name lines (kangle sink aside shows them), or --sink NAME --all")
    site = load_site_or_fail(site_dir)
    if everything:
        assert sink_name is not None
        targets = _verticals_of(site, sink_name)
        return _tell(act, {each: _ask(site, each, sink_name, act, None) for each in targets}, as_json=as_json)
    chosen = _chosen(site, refs, sink_name or "")
    done = {f"{vertical} {name}": _ask(site, vertical, name, act, ids) for (vertical, name), ids in chosen.items()}
    return _tell(act, done, as_json=as_json)


def _verticals_of(site: Site, sink_name: str) -> list[str]:
    """The daemons whose samples the sink gets; all of them for one that the site file names no longer."""
    named = [vertical for each in site.sinks if each.sink == sink_name for vertical in each.verticals]
    if not named:
        _refuse_unknown(site, sink_name)
    return [name for name in _verticals(site) if not named or name in named]


def _chosen(site: Site, refs: tuple[str, ...], sink_name: str) -> dict[tuple[str, str], tuple[int, ...]]:
    """The ids by daemon and sink, of lines that are there."""
    there = {f"{vertical}.{item.id}": (vertical, item.sink, item.id) for vertical, item in _lines(site, sink_name)}
    absent = [ref for ref in refs if ref not in there]
    if absent:
        raise CliError(f"nothing is set aside as {', '.join(absent)}: kangle sink aside shows what is", FAILED)
    chosen: dict[tuple[str, str], tuple[int, ...]] = {}
    for vertical, name, number in (there[ref] for ref in dict.fromkeys(refs)):
        chosen[vertical, name] = (*chosen.get((vertical, name), ()), number)
    return chosen


def _ask(site: Site, vertical: str, name: str, act: SinkAct, ids: tuple[int, ...] | None) -> ActDone:
    import asyncio

    from edge.runtime.history_client import ask_history
    from edge.runtime.history_messages import SOCKET_NAME, ActDone, ActOnSink, Refused

    try:
        part = asyncio.run(ask_history(site.run_dir / SOCKET_NAME, ActOnSink(vertical, name, act, ids)))
    except (OSError, TimeoutError) as error:
        text = "the history process, which owns the sinks, does not answer: start it with kangle up or run history"
        raise CliError(f"{text} ({error})", UNREACHABLE) from None
    if isinstance(part, Refused):
        raise CliError(part.text, UNREACHABLE if part.code == "storage" else FAILED)
    assert isinstance(part, ActDone)
    return part


def _tell(act: SinkAct, done: dict[str, ActDone], *, as_json: bool) -> int:
    import msgspec

    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    words = {"resend": "to be sent again", "drop": "dropped", "forget": "dropped, cursor deleted"}[act.value]
    for name, part in done.items():
        if part.left:
            click.echo(f"kangle: {name}: {part.left} never were lines and cannot be sent: drop them", err=True)
        click.echo(f"kangle: {name}: {part.done} lines {words}", err=True)
    return FAILED if any(part.left for part in done.values()) else 0
