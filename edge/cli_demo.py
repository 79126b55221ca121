"""``kangle demo``: its options."""

from __future__ import annotations

import click

from edge.cli_errors import BAD_CONFIG, CliError
from edge.cli_paths import example_site


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), help="Port of the pages on 127.0.0.1 (default: a free one).")
@click.option("--seconds", type=click.FloatRange(0), help="End by itself after this time (default: at Ctrl-C).")
@click.option("--lanes", type=click.IntRange(1, 4), default=2, show_default=True, help="Checkout lanes.")
@click.option("--no-diners", is_flag=True, help="Nobody comes by itself, to eat, to charge or to train.")
@click.option("--verbose", is_flag=True, help="Show what the processes say.")
def demo(port: int | None, seconds: float | None, lanes: int, no_diners: bool, verbose: bool) -> int:  # noqa: FBT001
    """Run canteen, garage and gym with simulated devices and people; prints one link. Nothing is left behind."""
    from edge.demo import DemoOptions, run_demo
    from edge.site import SiteErrors

    options = DemoOptions(example_site(), port, seconds, lanes, diners=not no_diners, verbose=verbose)
    try:
        return run_demo(options)
    except SiteErrors as errors:
        raise CliError(f"the example site has mistakes:\n{errors}", BAD_CONFIG) from None
