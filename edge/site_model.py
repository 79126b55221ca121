"""A site as its files tell it: plain frozen values, built and checked by ``edge.site.load_site``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge.domain.canteen.settings import CanteenConfig
from edge.domain.garage.settings import GarageConfig
from edge.domain.gym.settings import GymConfig
from edge.domain.words import Text
from edge.site_report import SiteMistake
from edge.storage.sample_resolution import Resolutions
from edge.storage.sinks.settings import SinkSettings


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the API listens. ``allowed_hosts`` are the Host headers it answers to; ``trust_loopback_http`` allows
    plain HTTP on the loopback interface."""

    host: str = "127.0.0.1"
    port: int = 8600
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    trust_loopback_http: bool = True


class DemoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``control`` is the Unix socket of the simulator that the demo endpoints speak to."""

    enabled: bool = False
    control: Path | None = None


class HistorySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long samples are kept, and how much of the disk each daemon's may take (see
    ``edge.storage.sample_retention``). ``log_days``: how long inputs are kept as they came. ``resolutions``: how finely
    the times of channels are kept."""

    log_days: int = 7
    chunks_days: int = 400
    rollups_days: int = 3650
    max_bytes: int = 16 << 30
    resolutions: Resolutions = Resolutions()


class DeviceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One device of a vertical: its id, the protocol it speaks (see ``edge.site_devices``), the URL of its link, and
    the settings that the protocol knows (only those given in the file)."""

    device: str
    protocol: str
    link: str
    options: dict[str, int | str | bool] = {}


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One site. ``dir`` holds site.toml, ``data_dir`` the stores, ``run_dir`` the sockets; all absolute. ``warnings``
    are findings that do not stop the site; ``garage``, ``gym`` None: this site has none."""

    site_id: str
    name: Text
    dir: Path
    data_dir: Path
    run_dir: Path
    verticals: tuple[str, ...]
    api: ApiSettings
    demo: DemoSettings
    devices: dict[str, tuple[DeviceSettings, ...]]
    canteen: CanteenConfig
    garage: GarageConfig | None = None
    history: HistorySettings = HistorySettings()
    sinks: tuple[SinkSettings, ...] = ()
    gym: GymConfig | None = None
    warnings: tuple[SiteMistake, ...] = ()
