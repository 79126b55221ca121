"""``kangle quote``: the full explained receipt of some dishes for some diner at some time, as JSON; nothing is sold."""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from edge.cli_click import site_option
from edge.cli_errors import FAILED, USAGE, CliError

DISH = re.compile(r"(?P<dish>[^:]+)(?::(?P<grams>[0-9]{1,4}))?")
WHEN = re.compile(r"(?:(?P<day>\d{4}-\d{2}-\d{2})(?:[T ]|$))?(?:(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d))?")


def parse_dish(word: str) -> tuple[str, int | None]:
    """``d001`` or ``d001:150``."""
    match = DISH.fullmatch(word)
    if match is None:
        raise CliError(f"{word!r}: give DISH or DISH:GRAMS, such as d001 or d001:150", USAGE)
    grams = match["grams"]
    return match["dish"], None if grams is None else int(grams)


def parse_when(word: str, now_ns: int, utc_offset_min: int) -> tuple[str, int]:
    """(ISO day, minute of the day) of ``11:30``, ``2026-11-22``, ``2026-11-22T11:30``; what is left out is now."""
    from datetime import date

    from edge.runtime.clock import local_day

    day = local_day(now_ns, utc_offset_min)
    minute = (now_ns // 60_000_000_000 + utc_offset_min) % 1440
    match = WHEN.fullmatch(word)
    if match is None:
        raise CliError(f"--at {word!r}: give a local time such as 11:30 or 2026-11-22T11:30", USAGE)
    if match["day"]:
        try:
            day = date.fromisoformat(match["day"]).isoformat()
        except ValueError:
            raise CliError(f"--at {word!r}: there is no such day", USAGE) from None
    if match["hour"]:
        minute = int(match["hour"]) * 60 + int(match["minute"])
    return day, minute


@click.command()
@click.option("--diner", "category", help="Diner category of the site's tariff (default: the site's default).")
@click.option("--at", "when", default="", help="Local time: 11:30 or 2026-11-22T11:30 (default: now).")
@click.argument("dishes", nargs=-1, required=True, metavar="DISH[:GRAMS]...")
@site_option
def quote(category: str | None, when: str, dishes: tuple[str, ...], site_dir: Path) -> None:
    """Price dishes for a diner and print the explained receipt as JSON."""
    import msgspec

    from edge.cli_site import load_site_or_fail
    from edge.domain.canteen.quoting import QuoteError, quote_dishes

    items = [parse_dish(word) for word in dishes]
    config = load_site_or_fail(site_dir).canteen
    day, minute = parse_when(when, time.time_ns(), config.utc_offset_min)
    try:
        receipt = quote_dishes(config, category or config.default_category, day, minute, items)
    except QuoteError as error:
        raise CliError(str(error), USAGE if error.code == "bad_value" else FAILED) from None
    click.echo(msgspec.json.format(msgspec.json.encode(receipt), indent=2).decode())
