"""``kangle backup`` and ``restore``: the stores of a site as a file that can be kept, and put back."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli_click import site_option
from edge.cli_errors import FAILED, UNREACHABLE, CliError

if TYPE_CHECKING:
    from edge.site import Site
    from edge.storage.backup_file import Manifest
    from edge.storage.backup_stores import StoreFile
    from edge.storage.restore import Order, Restored

SUFFIX = ".kangle-backup"
json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
#: What a StoreError means to whoever called us: these are not our failure but a thing that is not there.
_UNREACHABLE_CODES = frozenset({"absent", "locked"})


class Progress:
    """Tells on stderr how far it is: one line that changes on a terminal, else a line per stage."""

    EVERY_S = 0.2

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._stage = ""
        self._next_s = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """See ``edge.storage.backup.Tell``."""
        if self._live:
            now_s = time.monotonic()
            if stage != self._stage or now_s >= self._next_s or done == total:
                self._next_s = now_s + self.EVERY_S
                share = f" {100 * done // total} % of {total >> 20} MiB" if total else ""
                sys.stderr.write(f"\r\x1b[K{stage}{share}")
                sys.stderr.flush()
        elif stage != self._stage:
            sys.stderr.write(f"kangle: {stage}\n")
        self._stage = stage

    def end(self) -> None:
        """Clear the line."""
        if self._live and self._stage:
            sys.stderr.write("\r\x1b[K")
        self._stage = ""


@contextmanager
def telling() -> Iterator[Progress]:
    """Progress, and a StoreError as one line with its exit status."""
    from edge.storage.errors import StoreError

    progress = Progress()
    try:
        yield progress
    except StoreError as error:
        progress.end()
        raise CliError(error.text, UNREACHABLE if error.code in _UNREACHABLE_CODES else FAILED) from None
    finally:
        progress.end()


def stores_of(site: Site) -> tuple[StoreFile, ...]:
    """The stores that the site file names."""
    from edge.api.accounts_copy import VERSION, scrub
    from edge.storage.backup_stores import ACCOUNTS_NAME, StoreFile, site_stores

    return site_stores(site.verticals, StoreFile(ACCOUNTS_NAME, VERSION, scrub))


def tell_absent(site: Site, therefore: str) -> None:
    """A store that is not there is not whole either: say so. (One whose daemon never ran has none yet.)"""
    absent = [each.name for each in stores_of(site) if not (site.data_dir / each.name).exists()]
    if absent:
        click.echo(f"kangle: not there, {therefore}: {', '.join(absent)}", err=True)


@click.command()
@click.option("--to", "target", type=click.Path(path_type=Path), help="The file to make; default: DATA_DIR/backups/.")
@click.option("--keep", type=click.IntRange(1, 10_000), help="Of the files in DATA_DIR/backups keep so many.")
@json_option
@site_option
def backup(target: Path | None, keep: int | None, as_json: bool, site_dir: Path) -> None:  # noqa: FBT001 - by name
    """Put all stores of the site into one checked file, while the daemons run. Prints the file's path.

    The file holds no names, passwords or links of members (docs/backup.md); keep it where you would keep the books."""
    import msgspec

    from edge import __version__
    from edge.cli_site import load_site_or_fail
    from edge.storage.backup import take_backup
    from edge.storage.owner import give_to_owner_of

    site = load_site_or_fail(site_dir)
    now_ns = time.time_ns()
    folder = site.data_dir / "backups"
    if target is None:
        if site.data_dir.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)
            give_to_owner_of(site.data_dir, folder)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ns // 1_000_000_000))
        target = folder / f"{site.site_id}-{stamp}{SUFFIX}"
    with telling() as tell:
        taken = take_backup(
            site.data_dir, stores_of(site), target, site_id=site.site_id, build=__version__, now_ns=now_ns,
            notes={}, tell=tell,
        )  # fmt: skip
    if target.parent == folder:
        give_to_owner_of(folder, target)
    if keep is not None:
        for old in sorted(folder.glob(f"{site.site_id}-*{SUFFIX}"))[:-keep]:
            old.unlink()
    if as_json:
        told = {"file": str(taken.path), "bytes": taken.path.stat().st_size, "manifest": taken.manifest}
        copied = {name: each._asdict() for name, each in taken.copied.items()}
        click.echo(msgspec.json.encode({**told, "copied": copied}).decode())
        return
    size_mib = taken.path.stat().st_size / (1 << 20)
    click.echo(f"kangle: {len(taken.manifest.files)} stores, {size_mib:.1f} MiB, read back and whole", err=True)
    tell_absent(site, "and so not in it")
    click.echo(taken.path)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--dry-run", is_flag=True, help="Unpack and check everything, change nothing.")
@click.option(
    "--accounts",
    type=click.Choice(["keep", "replace", "none"]),
    default="keep",
    show_default=True,
    help="keep: this machine's accounts stay if it has any (a revoked token stays revoked).",
)
@click.option("--samples", "samples_only", is_flag=True, help="Put back nothing but the curves (samples.db).")
@click.option(
    "--daemon", "daemons", multiple=True, metavar="NAME", help="With --samples: only of this one; repeatable."
)
@click.option("--finish", is_flag=True, help="Finish a restore that was cut short.")
@json_option
@site_option
def restore(
    file: Path | None,
    dry_run: bool,  # noqa: FBT001 - click gives it by name
    accounts: str,
    samples_only: bool,  # noqa: FBT001 - click gives it by name
    daemons: tuple[str, ...],
    finish: bool,  # noqa: FBT001 - click gives it by name
    as_json: bool,  # noqa: FBT001 - click gives it by name
    site_dir: Path,
) -> None:
    """Put a backup FILE in the place of the site's stores; what was there is kept in DATA_DIR/before-restore-*.

    Nothing of the site may run. Everything is checked before anything is changed. With --samples only the history must
    be stopped: for a samples.db that was lost or damaged, while orders and money stay as they are. One that is well
    stays too, unless --daemon names it."""
    import msgspec

    from edge.cli_site import load_site_or_fail

    site = load_site_or_fail(site_dir)
    if finish:
        _finish(site.data_dir)
        return
    if file is None:
        raise click.UsageError("name the backup FILE, or --finish")
    if daemons and not samples_only:
        raise click.UsageError("--daemon goes with --samples")
    strange = [name for name in daemons if name not in site.verticals]
    if strange:
        raise click.UsageError(f"no daemon {', '.join(strange)}; there are: {', '.join(site.verticals)}")
    with telling() as tell:
        order = _order(file, site, accounts=accounts, dry_run=dry_run, samples_only=samples_only, daemons=daemons)
        done = _restore(order, tell)
    if as_json:
        click.echo(msgspec.json.encode(done._asdict()).decode())
    else:
        _tell_restored(done, site.data_dir, dry_run=dry_run)


def _order(file: Path, site: Site, **chosen: Any) -> Order:
    from edge.storage.restore import Order

    return Order(file, site.data_dir, stores_of(site), site.site_id, time.time_ns(), **chosen)


def _restore(order: Order, tell: Progress) -> Restored:
    from edge.api.accounts_copy import begin_again
    from edge.storage import restore as restoring

    def on_accounts(connection: sqlite3.Connection, manifest: Manifest) -> None:
        begin_again(connection, order.now_ns, manifest.created_ns)

    return restoring.restore(order, tell=tell, on_accounts=on_accounts)


def _finish(data_dir: Path) -> None:
    from edge.storage import restore as restoring
    from edge.storage.restore_swap import read_plan

    with telling():
        plan = read_plan(data_dir)
        if plan is None:
            raise CliError(f"no restore was cut short in {data_dir}: there is nothing to finish", FAILED)
        restoring.finish(data_dir, plan)
    click.echo(f"kangle: the restore is complete; the files of before are in {data_dir / plan.kept}", err=True)


def _tell_restored(done: Restored, data_dir: Path, *, dry_run: bool) -> None:
    made = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(done.manifest.created_ns // 1_000_000_000))
    click.echo(f"kangle: backup of {made} by release {done.manifest.build}: every store in it is whole", err=True)
    for name in done.placed:
        member = done.manifest.member(name)
        assert member is not None
        head = f", last input {member.head_seq}" if member.head_seq else ""
        click.echo(f"{'would place' if dry_run else 'placed'} {name} ({member.bytes >> 10} KiB{head})")
    for name in done.retired:
        click.echo(f"{'would set' if dry_run else 'set'} aside {name}: it is made again from the log")
    for name in done.left:
        click.echo(f"{'would leave' if dry_run else 'left'} {name} as it is")
    if not dry_run:
        click.echo(f"kangle: the files of before are in {data_dir / done.kept}; delete them when all is well", err=True)
