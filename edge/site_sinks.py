"""The ``[[sinks]]`` of the site file: where samples go, checked before anything is sent.

Secrets stay in files of their own, so that a site file can be shown, copied and sent to somebody. The hard part is to
stop what is wrong without stopping the box for what is only absent: a token file that is not there yet, or that others
can read, is a warning, because a dead sink must never keep a site from starting. A user would notice a mistake here as
a token that stands in a bug report, or as samples that go out in the clear.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from edge.domain.words import Text
from edge.site_devices import is_loopback
from edge.site_report import same
from edge.site_table import Seen, Table, once
from edge.storage.sinks.settings import SinkKind, SinkSettings

_FORMS = {
    SinkKind.INFLUX: same("https://HOST:PORT  http://HOST:PORT"),
    SinkKind.MQTT: same("mqtts://HOST:PORT  mqtt://HOST:PORT"),
}
_SCHEMES = {SinkKind.INFLUX: ("https", "http"), SinkKind.MQTT: ("mqtts", "mqtt")}
_SECURE = ("https", "mqtts")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
_TOPIC = re.compile(r"[^\x00-\x1f\x7f+#$/][^\x00-\x1f\x7f+#]{0,127}")
_CLIENT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SECRET_KEYS = {"token": "token_file", "password": "password_file", "pass": "password_file", "secret": "token_file"}
_IN_FILE = Text(
    "密钥写进单独的文件（权限 0600），这里写 {key} = 路径", "put it into a file of mode 0600: {key} = its path"
)


def read_sinks(top: Table, folder: Path, verticals: tuple[str, ...]) -> tuple[SinkSettings, ...]:
    """All ``[[sinks]]`` of ``top``; paths are relative to ``folder``."""
    seen: Seen = {}
    clients: Seen = {}
    sinks = []
    for entry in top.tables("sinks"):
        sink = entry.ident("sink")
        once(seen, sink, entry, "sink")
        kind = entry.choice("kind", SinkKind)
        _no_secrets(entry)
        if kind is not None:
            url = _url(entry, kind)
            sinks.append(
                _influx(entry, sink, url, folder, verticals)
                if kind is SinkKind.INFLUX
                else _mqtt(entry, sink, url, folder, verticals)
            )
            once(clients, sinks[-1].client, entry, "client")
            entry.finish()
    return tuple(sinks)


def _no_secrets(entry: Table) -> None:
    """A token or password in the file itself is refused, and never shown."""
    for key, instead in _SECRET_KEYS.items():
        if entry.has(key):
            entry.allow(key)
            hint = Text(_IN_FILE.zh.format(key=instead), _IN_FILE.en.format(key=instead))
            entry.mistake("unsafe", key, "•••", hint=hint)


def _url(entry: Table, kind: SinkKind) -> str:
    """The address, without user, password, query and path of the write."""
    text = entry.string("url", allowed=_FORMS[kind])
    if not text:
        return ""
    try:
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError:
        entry.mistake("bad_format", "url", text, _FORMS[kind])
        return ""
    if url.username is not None or url.password is not None or url.query or url.fragment:
        hint = Text("地址里不写用户、密码和参数", "no user, password or parameters in the address")
        entry.mistake("unsafe", "url", f"{url.scheme}://•••@{host or ''}", _FORMS[kind], hint)
        return ""
    if url.scheme not in _SCHEMES[kind] or not host or not _path_ok(url, kind):
        hint = Text("不带 /api/v2/write", "without /api/v2/write") if "/api/" in url.path else same("")
        entry.mistake("bad_format", "url", text, _FORMS[kind], hint)
        return ""
    if url.scheme not in _SECURE and not is_loopback(host):
        hint = Text("令牌和数据会明文传输，请用 https/mqtts", "token and samples go in the clear: use https or mqtts")
        entry.mistake("unsafe", "url", text, _FORMS[kind], hint, warn=True)
    return text.rstrip("/")


def _path_ok(url: SplitResult, kind: SinkKind) -> bool:
    """InfluxDB may live below a path of a reverse proxy; a broker has none."""
    return url.path in {"", "/"} if kind is SinkKind.MQTT else not url.path.rstrip("/").endswith("/write")


def _influx(entry: Table, sink: str, url: str, folder: Path, verticals: tuple[str, ...]) -> SinkSettings:
    return SinkSettings(
        sink=sink,
        kind=SinkKind.INFLUX,
        url=url,
        verticals=entry.strings("verticals", verticals) or verticals,
        history=entry.boolean("history", default=True) is not False,
        tls_ca=_file(entry, "tls_ca", folder),
        timeout_s=entry.number("timeout_s", 1, 300, 30),
        batch_samples=entry.integer("batch_samples", 1, 50_000, 5000) or 5000,
        samples_per_s_max=entry.integer("samples_per_s_max", 10, 10_000_000, 200_000) or 200_000,
        org=entry.string("org", _NAME),
        bucket=entry.string("bucket", _NAME),
        token_file=_file(entry, "token_file", folder, secret=True),
        gzip=entry.boolean("gzip", default=True) is not False,
    )


def _mqtt(entry: Table, sink: str, url: str, folder: Path, verticals: tuple[str, ...]) -> SinkSettings:
    topic = same("kangle/site-1")
    return SinkSettings(
        sink=sink,
        kind=SinkKind.MQTT,
        url=url,
        verticals=entry.strings("verticals", verticals) or verticals,
        history=entry.boolean("history", default=True) is not False,
        tls_ca=_file(entry, "tls_ca", folder),
        timeout_s=entry.number("timeout_s", 1, 300, 30),
        batch_samples=entry.integer("batch_samples", 1, 50_000, 1000) or 1000,
        samples_per_s_max=entry.integer("samples_per_s_max", 10, 1_000_000, 5000) or 5000,
        user=entry.string("user", _NAME, required=False),
        password_file=_file(entry, "password_file", folder, secret=True),
        client=entry.string("client", _CLIENT, same("A-Z a-z 0-9 _ . -"), required=False),
        topic_prefix=entry.string("topic_prefix", _TOPIC, topic, required=False).rstrip("/"),
        retain=entry.boolean("retain", default=False) is True,
        in_flight=entry.integer("in_flight", 1, 1000, 100) or 100,
    )


def _file(entry: Table, key: str, folder: Path, *, secret: bool = False) -> Path | None:
    """The file that ``key`` names; absent or readable by others: a warning."""
    name = entry.string(key, required=False)
    if not name:
        return None
    path = folder / name
    try:
        with path.open("rb"):
            mode = path.stat().st_mode
    except OSError as error:
        hint = Text("没有它就发不出去；其余照常运行", "nothing can be sent without it; the rest of the box runs")
        entry.mistake("unreadable", key, f"{name}: {error.strerror}", hint=hint, warn=True)
        return path
    if secret and stat.S_IMODE(mode) & 0o077:
        hint = same(f"chmod 600 {name}")
        entry.mistake("unsafe", key, f"{name}: {stat.S_IMODE(mode):04o}", same("0600"), hint, warn=True)
    return path
