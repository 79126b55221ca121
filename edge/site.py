"""The site file: reads ``site.toml`` and the tables beside it into one checked ``Site``, or tells all mistakes at once.

A site is a folder. ``site.toml`` names it, its devices and lanes; ``canteen/`` holds the tables that staff keep.
Loading is a function of the files and of the day: the same files and ``today`` always give the same ``Site``. The
hard part is to report everything that is wrong in one go; a user would notice an error here as a box that starts on
half a configuration.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import msgspec

from edge.domain.canteen.settings import CanteenConfig
from edge.domain.garage.settings import GarageConfig
from edge.domain.gym.settings import GymConfig
from edge.domain.words import Text
from edge.site_canteen import read_canteen
from edge.site_devices import is_loopback, read_devices
from edge.site_garage import read_garage
from edge.site_gym import read_gym
from edge.site_model import ApiSettings, DemoSettings, DeviceSettings, HistorySettings, Site
from edge.site_report import Bag, SiteErrors, SiteMistake, mistakes_json, render_mistakes, same
from edge.site_sinks import read_sinks
from edge.site_table import Seen, Table, open_table
from edge.site_toml import read_toml
from edge.storage.sample_resolution import ChannelResolution, Resolution, Resolutions

__all__ = [
    "ApiSettings",
    "DemoSettings",
    "DeviceSettings",
    "Site",
    "SiteErrors",
    "SiteMistake",
    "load_site",
    "mistakes_json",
    "render_mistakes",
]

SITE_FILE = "site.toml"
VERTICALS = ("canteen", "garage", "gym")
#: Entries of ``[[history.channels]]``: each is tried for each channel that is born.
CHANNELS_MAX = 100
_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,253}")

#: The longest path that a Unix socket may have on Linux (sun_path is 108 bytes with the final zero).
SOCKET_PATH_MAX = 107
LONGEST_SOCKET = "canteen.sock"


def load_site(path: Path, today: date) -> Site:
    """Read the site at ``path`` (its folder, or the site.toml in it); ``today`` is the local day of the site.

    The menu of the result covers yesterday to 30 days ahead, so load again once a day. Raises ``SiteErrors`` with every
    mistake of all files.
    """
    file = path / SITE_FILE if path.is_dir() else path
    folder = file.resolve().parent
    bag = Bag()
    doc = read_toml(file, file.name, bag)
    if not file.is_file():
        raise SiteErrors(bag.mistakes())
    site = _read(open_table(doc, bag), folder, today, bag)
    if len(bag):
        raise SiteErrors(bag.mistakes(), bag.warnings())
    return msgspec.structs.replace(site, warnings=bag.warnings())


def _read(top: Table, folder: Path, today: date, bag: Bag) -> Site:
    site_id, name = top.ident("site_id"), top.text("name")
    data_dir = folder / (top.string("data_dir", required=False) or "data")
    run_dir = folder / (top.string("run_dir", required=False) or data_dir / "run")
    _check_socket_path(top, run_dir)
    verticals = top.strings("verticals", VERTICALS) or ("canteen",)
    api, demo = _api(top.table("api")), _demo(top.table("demo"), folder)
    history = _history(top.table("history"))
    sinks = read_sinks(top, folder, verticals)
    canteen = top.table("canteen", required=True)
    links: Seen = {}
    devices = read_devices(canteen, links if "canteen" in verticals else {})
    config: CanteenConfig = read_canteen(canteen, folder, name, devices, today, bag)
    canteen.finish()
    garage, garage_devices = _garage(top, folder, name, bag, links) if "garage" in verticals else (None, ())
    gym, gym_devices = _gym(top, folder, name, bag, links) if "gym" in verticals else (None, ())
    top.allow("garage", "gym")
    top.finish()
    return Site(
        site_id=site_id,
        name=name,
        dir=folder,
        data_dir=data_dir,
        run_dir=run_dir,
        verticals=verticals,
        api=api,
        demo=demo,
        devices={"canteen": devices, "garage": garage_devices, "gym": gym_devices},
        canteen=config,
        garage=garage,
        gym=gym,
        history=history,
        sinks=sinks,
    )


def _garage(
    top: Table, folder: Path, name: Text, bag: Bag, links: Seen
) -> tuple[GarageConfig | None, tuple[DeviceSettings, ...]]:
    table = top.table("garage", required=True)
    devices = read_devices(table, links)
    config = read_garage(table, folder, name, devices, bag)
    table.finish()
    return config, devices


def _gym(
    top: Table, folder: Path, name: Text, bag: Bag, links: Seen
) -> tuple[GymConfig | None, tuple[DeviceSettings, ...]]:
    table = top.table("gym", required=True)
    devices = read_devices(table, links)
    config = read_gym(table, folder, name, devices, bag)
    table.finish()
    return config, devices


def _check_socket_path(top: Table, run_dir: Path) -> None:
    length = len(str(run_dir / LONGEST_SOCKET).encode())
    if length > SOCKET_PATH_MAX:
        hint = Text("把 run_dir 设为短路径，如 /run/kangle", "set run_dir to a short path such as /run/kangle")
        allowed = same(f"<= {SOCKET_PATH_MAX} B")
        top.mistake("out_of_range", "run_dir", f"{run_dir / LONGEST_SOCKET} ({length} B)", allowed, hint)


def _api(table: Table) -> ApiSettings:
    host = table.string("host", _HOST, same("127.0.0.1"), required=False) or ApiSettings().host
    if not is_loopback(host):
        hint = Text(
            "保持 127.0.0.1，由本机带 TLS 的反向代理（如 Caddy、nginx）对外",
            "keep 127.0.0.1 and let a reverse proxy with TLS on this machine (Caddy, nginx) face the network",
        )
        table.mistake("unsafe", "host", host, same("127.0.0.1, ::1, localhost"), hint)
    settings = ApiSettings(
        host=host,
        port=table.integer("port", 1, 65_535, ApiSettings().port) or ApiSettings().port,
        allowed_hosts=table.strings("allowed_hosts") or ApiSettings().allowed_hosts,
        trust_loopback_http=table.boolean("trust_loopback_http", default=True) or False,
    )
    if not settings.trust_loopback_http:
        hint = Text(
            "本版本只提供明文 HTTP：为 false 时接口和页面不启动",
            "this version serves plain HTTP only: with false the API and the pages do not start",
        )
        table.mistake("contradiction", "trust_loopback_http", "false", same("true"), hint, warn=True)
    for index, allowed in enumerate(settings.allowed_hosts):
        if "*" in allowed or not _HOST.fullmatch(allowed):
            hint = Text("写出每个主机名", "name each host")
            table.bag.add("unsafe", table.place("allowed_hosts", index), allowed, hint=hint)
    table.finish()
    return settings


def _history(table: Table) -> HistorySettings:
    known = HistorySettings()
    max_gib = table.integer("max_gib", 1, 4096, known.max_bytes >> 30, "GiB")
    settings = HistorySettings(
        log_days=table.integer("log_days", 1, 365, known.log_days, "d") or known.log_days,
        chunks_days=table.integer("chunks_days", 1, 36_500, known.chunks_days, "d") or known.chunks_days,
        rollups_days=table.integer("rollups_days", 1, 36_500, known.rollups_days, "d") or known.rollups_days,
        max_bytes=(max_gib or 1) << 30,
        resolutions=_resolutions(table),
    )
    table.finish()
    return settings


def _resolutions(table: Table) -> Resolutions:
    default = table.choice("resolution", Resolution, Resolution.MS) or Resolution.MS
    channels = []
    for number, entry in enumerate(table.tables("channels")):
        match, resolution = entry.string("match"), entry.choice("resolution", Resolution)
        entry.finish()
        if number == CHANNELS_MAX:
            table.mistake("out_of_range", "channels", number + 1, same(f"0..{CHANNELS_MAX} [[history.channels]]"))
        if match and resolution is not None:
            channels.append(ChannelResolution(match, resolution))
    return Resolutions(default, tuple(channels))


def _demo(table: Table, folder: Path) -> DemoSettings:
    enabled = table.boolean("enabled", default=False) or False
    control = table.string("control", required=False)
    table.finish()
    return DemoSettings(enabled=enabled, control=folder / control if control else None)
