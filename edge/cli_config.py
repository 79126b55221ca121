"""``kangle config check`` and ``config show``: what is wrong with a site, and what a right one comes to."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli_click import site_option
from edge.cli_errors import BAD_CONFIG, OK, UNREACHABLE, CliError


@click.group()
def config() -> None:
    """Look at a site's files."""


_VERDICTS = {
    "en": {"ok": "ok", "unusable": "NOT usable", "unarmed": "ok, but the garage will NOT ARM"},
    "zh": {"ok": "可用", "unusable": "不可用", "unarmed": "可用，但车库不会投入保护"},
}


def _heading(kind: str, count: int, lang: str) -> str:
    if lang == "zh":
        return f"{count} 处{'错误' if kind == 'mistake' else '提醒'}："
    return f"{count} {kind}{'s' * (count != 1)}:"


@config.command()
@site_option
@click.option("--json", "as_json", is_flag=True, help="Mistakes and warnings as JSON on stdout.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="en", show_default=True, help="Language of the text.")
def check(site_dir: Path, as_json: bool, lang: str) -> int:  # noqa: FBT001 - click gives it by name
    """Report every mistake of a site at once. Exit status 0: usable, 3: not, or its garage would not arm."""
    from edge.runtime.clock import local_today
    from edge.site import SiteErrors, SiteMistake, load_site, mistakes_json, render_mistakes

    if not site_dir.exists():
        raise CliError(f"there is no {site_dir}. Name the folder with --site; the example is config/.", UNREACHABLE)
    mistakes: tuple[SiteMistake, ...] = ()
    try:
        warnings = load_site(site_dir, local_today()).warnings
    except SiteErrors as errors:
        mistakes, warnings = errors.mistakes, errors.warnings
    unarmed = any(warning.code == "not_armed" for warning in warnings)
    if as_json:
        parts = b",".join((b'"mistakes":' + mistakes_json(mistakes), b'"warnings":' + mistakes_json(warnings)))
        click.echo((b"{" + parts + b"}").decode())
    else:
        for kind, found in (("warning", warnings), ("mistake", mistakes)):
            if found:
                click.echo(f"{_heading(kind, len(found), lang)}\n{render_mistakes(found, lang)}", err=True)
        verdict = "unusable" if mistakes else "unarmed" if unarmed else "ok"
        click.echo(f"{site_dir}: {_VERDICTS[lang][verdict]}", err=True)
    return BAD_CONFIG if mistakes or unarmed else OK


@config.command()
@site_option
def show(site_dir: Path) -> None:
    """Print the site as it will run, defaults filled in and nutrition computed, as JSON."""
    import msgspec

    from edge.cli_site import load_site_or_fail

    encoded = msgspec.json.encode(load_site_or_fail(site_dir), enc_hook=str)
    click.echo(msgspec.json.format(encoded, indent=2).decode())
