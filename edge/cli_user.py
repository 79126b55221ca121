"""``kangle user``: accounts, one-time links and terminal tokens, written straight into the site's ``api.db``.

Whoever can write that file rules the box anyway, so this is also the way back in when a password is lost. It works
while the API runs. Secrets go to stdout, once; everything is audited as done by ``cli``.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli_click import site_option
from edge.cli_errors import FAILED, UNREACHABLE, USAGE, CliError
from edge.domain.actors import Role

if TYPE_CHECKING:
    from edge.api.accounts import Accounts
    from edge.site import Site

BY = "cli"
PEOPLE = [role.value for role in Role if role is not Role.DINER_TERMINAL]
EVERYONE = [role.value for role in Role]
json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")


@contextmanager
def accounts_of(site_dir: Path) -> Iterator[tuple[Site, Accounts]]:
    """The site and its accounts; refusals become one line."""
    from edge.api.account_types import AccountProblem
    from edge.api.accounts import Accounts
    from edge.api.accounts_db import AccountsError
    from edge.api.passwords import WeakPassword
    from edge.api.problem_texts import TEXTS
    from edge.cli_site import load_site_or_fail

    site = load_site_or_fail(site_dir)
    site.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        accounts = Accounts(site.data_dir / "api.db")
    except AccountsError as error:
        raise CliError(str(error), UNREACHABLE) from None
    try:
        yield site, accounts
    except AccountProblem as problem:
        text = TEXTS[problem.code]
        raise CliError(f"{text.title_en}: {text.detail_en}", FAILED) from None
    except WeakPassword:
        text = TEXTS["weak_password"]
        raise CliError(f"{text.title_en}: {text.detail_en}", USAGE) from None
    finally:
        accounts.close()


@click.group()
def user() -> None:
    """Accounts, one-time login links and terminal tokens of a site."""


@user.command()
@click.argument("username")
@click.option("--role", required=True, type=click.Choice(PEOPLE), help="What the user may do.")
@click.option("--member", help="The member's token; for the roles member and resident, and only for them.")
@click.option("--link-only", is_flag=True, help="No password: the user comes in by one-time links (kangle user link).")
@site_option
def add(username: str, role: str, member: str | None, link_only: bool, site_dir: Path) -> None:  # noqa: FBT001
    """Add a user. The password is asked for, or read as one line from stdin when that is no terminal."""
    from edge.api.account_types import USERNAME_MAX, USERNAME_PATTERN

    if len(username) > USERNAME_MAX or re.fullmatch(USERNAME_PATTERN, username) is None:
        raise CliError(f"user name {username!r}: use a-z, 0-9, . _ -; at most {USERNAME_MAX}", USAGE)
    with accounts_of(site_dir) as (site, accounts):
        if member is not None and member not in {each.token for each in site.canteen.members}:
            raise CliError(f"the site's members have no {member!r}: give a token of its members.csv", USAGE)
        secret = None if link_only else read_secret()
        accounts.create_user(username, secret, Role(role), member, BY)
        click.echo(f"kangle: user {username} ({role}) added", err=True)


def read_secret(what: str = "password", instead: str = ", or use --link-only") -> str:
    """Twice from a terminal without echo, or one line of stdin."""
    if sys.stdin.isatty():
        return str(click.prompt(what.capitalize(), hide_input=True, confirmation_prompt=True, err=True))
    secret = sys.stdin.readline().rstrip("\n")
    if not secret:
        raise CliError(f"no {what} on stdin. Pipe one line{instead}.", USAGE)
    return secret


@user.command()
@click.argument("username")
@site_option
def password(username: str, site_dir: Path) -> None:
    """Give a user a new password, asked for or read from stdin as for add; sessions and links that were open end."""
    with accounts_of(site_dir) as (_, accounts):
        accounts.user(username)
        accounts.set_password(username, read_secret(instead=""), BY)
        click.echo(f"kangle: user {username} has a new password; open sessions ended", err=True)


@user.command()
@click.argument("username")
@site_option
def pin(username: str, site_dir: Path) -> None:
    """Give a user a PIN, asked for or read from stdin: with it they reset a zone at its own panel (kangle user token
    --panel). It opens nothing else."""
    from edge.api.pins import PERSONS

    with accounts_of(site_dir) as (_, accounts):
        role = accounts.user(username).role
        if role not in PERSONS:
            able = ", ".join(sorted(one.value for one in PERSONS))
            raise CliError(f"{username} is {role.value}; a PIN is for who may reset a zone: {able}", FAILED)
        accounts.pins.set(username, read_secret("PIN", ""), BY)
        click.echo(f"kangle: user {username} has a PIN for the panels", err=True)


@user.command("list")
@json_option
@site_option
def list_users(as_json: bool, site_dir: Path) -> None:  # noqa: FBT001 - click gives it by name
    """List users and tokens, without secrets."""
    import msgspec

    with accounts_of(site_dir) as (_, accounts):
        users, tokens = accounts.users(), accounts.tokens.all()
    if as_json:
        click.echo(msgspec.json.encode({"users": users, "tokens": tokens}).decode())
        return
    for each in users:
        click.echo(f"user   {each.username:<20} {each.role.value:<15} {each.member or ''}".rstrip())
    for token in tokens:
        until = time.strftime("%Y-%m-%d", time.gmtime(token.expires_ns // 1_000_000_000))
        bound = token.lane or token.panel or ""
        click.echo(f"token  {token.id:<20} {token.role.value:<15} {bound:<6} until {until}  {token.name}".rstrip())


@user.command()
@click.argument("username")
@site_option
def remove(username: str, site_dir: Path) -> None:
    """Remove a user with all sessions and links. The last administrator stays."""
    with accounts_of(site_dir) as (_, accounts):
        accounts.delete_user(username, BY)
        click.echo(f"kangle: user {username} removed", err=True)


@user.command()
@click.argument("username")
@site_option
def link(username: str, site_dir: Path) -> None:
    """Print a one-time login link of a user, valid for 15 minutes."""
    with accounts_of(site_dir) as (site, accounts):
        click.echo(f"{base_url(site)}/login#link={accounts.issue_link(username)}")


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(EVERYONE), help="What its bearer may do; with --lane or --panel not needed.")
@click.option("--lane", help="For the terminal of this lane.")
@click.option("--panel", help="For the wall panel of this name, at which its zone may be reset.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True)
@site_option
def token(name: str, role: str | None, lane: str | None, panel: str | None, days: int, site_dir: Path) -> None:
    """Make an API token, shown this once: for a lane's terminal or a zone's panel a link to open there, else the
    token."""
    with accounts_of(site_dir) as (site, accounts):
        page = _page_of(site, lane, panel)
        chosen = Role(role) if role is not None else Role.DINER_TERMINAL if panel is None else Role.PANEL
        _, secret = accounts.tokens.create(name, chosen, lane, days, BY, panel)
        click.echo(f"{base_url(site)}{page}#terminal={secret}" if page else secret)


def _page_of(site: Site, lane: str | None, panel: str | None) -> str:
    """The page that a terminal or panel opens, "" for any other token."""
    lanes = [each.lane for each in site.canteen.lanes]
    if lane is not None and lane not in lanes:
        raise CliError(f"there is no lane {lane!r}; the site has {', '.join(lanes)}", USAGE)
    zones = {each: zone.zone for zone in (site.garage.zones if site.garage else ()) for each in zone.panels}
    if panel is not None and panel not in zones:
        raise CliError(f"no zone has a panel {panel!r}; the site has {', '.join(zones) or 'none'}", USAGE)
    if panel is not None:
        return f"/garage/zone/{zones[panel]}"
    return f"/lane/{lane}" if lane is not None else ""


@user.command()
@click.argument("token_id")
@site_option
def revoke(token_id: str, site_dir: Path) -> None:
    """End an API token, and every session opened with it."""
    with accounts_of(site_dir) as (_, accounts):
        accounts.tokens.revoke(token_id, BY)
        click.echo(f"kangle: token {token_id} revoked", err=True)


def base_url(site: Site) -> str:
    """Where the site's pages are, by its own file."""
    host = f"[{site.api.host}]" if ":" in site.api.host else site.api.host
    return f"http://{host}:{site.api.port}"
