"""What the site file says of a sink."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec


class SinkKind(StrEnum):
    INFLUX = "influx"
    MQTT = "mqtt"


class SinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One ``[[sinks]]``. Secrets are files, read at each connection, never values. ``verticals``: whose samples it
    gets. ``history``: it also gets what the box held before the sink was named. ``samples_per_s_max`` bounds how fast a
    backlog goes out. Paths are absolute."""

    sink: str
    kind: SinkKind
    url: str
    verticals: tuple[str, ...]
    history: bool = True
    tls_ca: Path | None = None
    timeout_s: float = 30.0
    batch_samples: int = 5000
    samples_per_s_max: int = 200_000
    # InfluxDB v2
    org: str = ""
    bucket: str = ""
    token_file: Path | None = None
    gzip: bool = True
    # MQTT
    user: str = ""
    password_file: Path | None = None
    client: str = ""
    topic_prefix: str = ""
    retain: bool = False
    in_flight: int = 100
