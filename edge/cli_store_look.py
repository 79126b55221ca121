"""``kangle store``: is what is on the disk whole, how large is it, and who is behind."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli_click import site_option
from edge.cli_errors import FAILED, OK, UNREACHABLE, CliError
from edge.cli_store import SUFFIX, json_option, stores_of, tell_absent, telling

if TYPE_CHECKING:
    from edge.site import Site
    from edge.storage.info import SiteInfo, StoreInfo
    from edge.storage.info_sinks import SinkLag
    from edge.storage.verify import Finding


@click.group()
def store() -> None:
    """Look at the stores of a site: verify them, or see their sizes, numbers and lags."""


@store.command()
@json_option
@site_option
def verify(as_json: bool, site_dir: Path) -> int:  # noqa: FBT001 - click gives it by name
    """Check every store: pages, tables, log, copies of the world, money against money. May run beside the daemons.

    Exit status 1 when something is wrong; each line names it and the remedy."""
    import msgspec

    from edge.cli_site import load_site_or_fail
    from edge.storage.verify import verify_store

    site = load_site_or_fail(site_dir)
    present = [each for each in stores_of(site) if (site.data_dir / each.name).exists()]
    if not present:
        raise CliError(f"{site.data_dir} holds no store yet: there is nothing to verify", UNREACHABLE)
    found: list[Finding] = []
    with telling() as tell:
        for each in present:
            found += verify_store(site.data_dir, each, tell)
            if not each.vertical:
                found += _audit(site)
    if as_json:
        told = {"stores": [each.name for each in present], "findings": found}
        click.echo(msgspec.json.encode(told).decode())
    else:
        for finding in found:
            click.echo(f"{finding.store}: {finding.check}: {finding.what}\n    remedy: {finding.remedy}")
        names = ", ".join(each.name for each in present)
        click.echo(f"kangle: {names}: {f'{len(found)} findings' if found else 'whole'}", err=True)
        tell_absent(site, "and so not looked at")
    return FAILED if found else OK


def _audit(site: Site) -> list[Finding]:
    from edge.api.accounts_db import AccountsDb, AccountsError
    from edge.api.audit import verify as verify_audit
    from edge.storage.backup_stores import ACCOUNTS_NAME
    from edge.storage.verify import RESTORE, Finding

    try:
        db = AccountsDb(site.data_dir / ACCOUNTS_NAME)
    except AccountsError as error:
        return [Finding(ACCOUNTS_NAME, "opens", str(error), RESTORE)]
    try:
        wrong = verify_audit(db)
    finally:
        db.close()
    remedy = "somebody changed the file by hand: compare with the head that was kept elsewhere, and ask who"
    return [Finding(ACCOUNTS_NAME, "audit trail", wrong, remedy)] if wrong else []


@store.command()
@json_option
@site_option
def info(as_json: bool, site_dir: Path) -> None:  # noqa: FBT001 - click gives it by name
    """Sizes, sequence numbers, seal mark, lags, ages and backups of every store."""
    import msgspec

    from edge.cli_site import load_site_or_fail
    from edge.storage.info import site_info

    site = load_site_or_fail(site_dir)
    if not site.data_dir.is_dir():
        raise CliError(f"{site.data_dir} holds no store yet: start the site once", UNREACHABLE)
    told = site_info(site.data_dir, stores_of(site), site.data_dir / "backups", f"{site.site_id}-*{SUFFIX}")
    if as_json:
        click.echo(msgspec.json.encode(told).decode())
        return
    for line in lines_of(told, time.time_ns()):
        click.echo(line)


def lines_of(told: SiteInfo, now_ns: int) -> list[str]:
    """What ``store info`` prints for people."""
    free, total = _mib(told.disk_free_bytes), _mib(told.disk_bytes)
    lines = [f"{told.data_dir}: {free} of {total} MiB free"]
    for each in told.stores:
        lines += _store_lines(each, now_ns)
    if told.backups:
        name, size, at_ns = told.backups[-1]
        lines.append(f"backups: {len(told.backups)}, the last {name}, {_mib(size)} MiB, {_age(at_ns, now_ns)}")
    else:
        lines.append("backups: none here (kangle backup makes one)")
    lines += [f"kept by a restore: {name} (delete it when all is well)" for name in told.kept]
    return lines


def _store_lines(each: StoreInfo, now_ns: int) -> list[str]:
    head = f"{each.name}: {_mib(each.bytes)} MiB, write-ahead log {_mib(each.wal_bytes)} MiB"
    if each.problem:
        return [head, f"  cannot be read: {each.problem}. Try: kangle store verify"]
    lines = [f"{head}, schema {each.user_version}, {_mib(each.free_pages_bytes)} MiB free inside"]
    if each.log is not None and each.log.last_seq:
        log = each.log
        lines.append(
            f"  log: inputs {log.first_seq} to {log.last_seq}, {_mib(log.bytes)} MiB, {log.snapshots} world copies"
        )
        lines.append(f"  oldest {_age(log.first_wall_ns, now_ns)}, newest {_age(log.last_wall_ns, now_ns)}")
        if log.set_aside:
            lines.append(f"  {log.set_aside} inputs were set aside because they could not be handled")
    if each.seal_seq:
        lines.append(f"  samples are sealed through input {each.seal_seq}")
    lines += [f"  {sink_line(sink)}" for sink in each.sinks]
    known = {name for sink in each.sinks for name in (sink.sink, f"{sink.sink}#settled")}
    lines += [
        f"  sink {name}: at input {seq}, {each.behind[name]} behind"
        for name, seq in each.cursors.items()
        if name not in known
    ]
    if each.restored:
        lines.append(f"  restored: {_restored(each.restored)}")
    return lines


def _restored(text: str) -> str:
    """The mark of the last restore as a person reads it; as it stands where it cannot be read."""
    import msgspec

    from edge.storage.restore import Mark

    try:
        mark = msgspec.json.decode(text, type=Mark)
    except msgspec.MsgspecError:
        return text
    when, of = (
        time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(ns // 1_000_000_000))
        for ns in (mark.restored_ns, mark.backup_ns)
    )
    return f"{when}, from a backup of {of}" + (f" that ended at input {mark.head_seq}" if mark.head_seq else "")


def sink_line(sink: SinkLag) -> str:
    """How far a sink is, in one line."""
    parts = [f"sink {sink.sink}: {sink.health}, at input {sink.at_seq}"]
    if sink.behind:
        samples = "" if sink.behind_samples is None else f", about {sink.behind_samples} samples"
        size = "" if sink.behind_bytes is None else f", {_size(sink.behind_bytes)}"
        parts.append(f"{sink.behind} inputs behind{samples}{size}, {_span(sink.behind_s)}")
    else:
        parts.append("nothing behind")
    if sink.set_aside:
        parts.append(f"{sink.set_aside} lines set aside (kangle sink aside)")
    if sink.aside_dropped:
        parts.append(f"{sink.aside_dropped} more did not fit and are gone")
    if sink.lost_inputs:
        parts.append(f"the samples of {sink.lost_inputs} inputs were dropped before they were sent")
    return "; ".join(parts)


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1 << 20 else f"{_mib(count)} MiB"


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _mib(count: int) -> str:
    return f"{count / (1 << 20):.1f}"


def _age(at_ns: int, now_ns: int) -> str:
    seconds = (now_ns - at_ns) // 1_000_000_000
    if seconds < 0:
        return f"{-seconds} s in the future (the clock stepped)"
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
