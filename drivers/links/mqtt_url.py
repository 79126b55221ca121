"""The URL of an MQTT link: ``mqtt://[USER@]HOST:PORT?client=NAME&topics=a/#,b/+&...``.

The hard part is what must never be in it: a password in a site file ends up in backups and logs, so the URL only names
where the password is. ``client`` must be fixed and one of its own for each link, because the broker keeps what it could
not deliver under that name; two links of one name would throw each other off for ever. A user would notice a mistake as
a link that opens and is lost every second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote

from drivers.links.link import LinkUrlError

MQTT_FORM = (
    "mqtt://[USER@]HOST:PORT?client=NAME[&topics=FILTER,FILTER][&password_file=PATH|&password_env=VARIABLE]"
    "[&tls=yes|no][&ca=PATH][&keepalive=2..60][&v5=yes|no]"
)

KEEPALIVE_S = 5

#: What every 3.1.1 broker must take is 23 letters and digits (MQTT-3.1.3-5); ours and Mosquitto take more.
_CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KNOWN = ("client", "topics", "password_file", "password_env", "tls", "ca", "keepalive", "v5")


@dataclass(frozen=True, slots=True)
class MqttUrl:
    """``topics`` empty: the driver's own. ``password_file`` / ``password_env``: where the password is, at most one.
    ``v5`` False: do not try MQTT 5 first (a broker that does not know it may stay silent instead of refusing)."""

    host: str
    port: int
    client: str
    user: str = ""
    topics: tuple[str, ...] = ()
    password_file: str = ""
    password_env: str = ""
    tls: bool = False
    ca: str = ""
    keepalive_s: int = KEEPALIVE_S
    v5: bool = True


def parse_mqtt_url(url: str, parts: SplitResult) -> MqttUrl:
    """Read what ``urlsplit`` made of ``url``, or raise ``LinkUrlError`` saying what is wrong and what is allowed."""
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(url, "the port is not a number up to 65535") from error
    if not host or not port:
        raise _wrong(url, "no host" if not host else "no port")
    if parts.password is not None:
        # The URL itself is not repeated: it would carry the password into logs.
        raise LinkUrlError(f"link mqtt://{host}:{port}: never write a password here; allowed: {MQTT_FORM}")
    if parts.path not in {"", "/"} or "#" in url:
        raise _wrong(url, "only settings (?name=value) may follow the port; write # in topics as %23")
    settings = _settings(url, parts.query)
    if not _CLIENT.fullmatch(settings.get("client", "")):
        raise _wrong(url, "client= must be a fixed name of its own, 1 to 64 letters, digits, - or _")
    if "password_file" in settings and "password_env" in settings:
        raise _wrong(url, "password_file and password_env exclude each other")
    user = unquote(parts.username or "")
    if ("password_file" in settings or "password_env" in settings) and not user:
        raise _wrong(url, "a password needs a user: mqtt://USER@HOST:PORT")
    return MqttUrl(
        host=host,
        port=port,
        client=settings["client"],
        user=user,
        topics=_topics(url, settings.get("topics")),
        password_file=settings.get("password_file", ""),
        password_env=settings.get("password_env", ""),
        tls=_tls(url, settings),
        ca=settings.get("ca", ""),
        keepalive_s=_keepalive(url, settings),
        v5=_yes(url, settings, "v5", "yes"),
    )


def is_topic_filter(text: str) -> bool:
    """Whether MQTT allows ``text`` as a subscription: + alone on its level, # alone on the last (MQTT-4.7.1)."""
    levels = text.split("/")
    if not text or "\0" in text or len(text.encode("utf-8", "replace")) > 65_535:
        return False
    alone = all(level in {"+", "#"} or not {"+", "#"} & set(level) for level in levels)
    return alone and "#" not in levels[:-1]


def _settings(url: str, query: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        # Not parse_qsl: it would turn the + of a topic filter into a space.
        key, _, quoted = pair.partition("=")
        value = unquote(quoted)
        if key not in _KNOWN:
            raise _wrong(url, f"unknown setting {key!r}")
        if key in settings or not value:
            raise _wrong(url, f"{key} is {'given twice' if key in settings else 'empty'}")
        settings[key] = value
    return settings


def _topics(url: str, text: str | None) -> tuple[str, ...]:
    topics = tuple(text.split(",")) if text is not None else ()
    for topic in topics:
        if not is_topic_filter(topic):
            raise _wrong(url, f"topics: {topic!r} is no topic filter (write # as %23)")
    return topics


def _tls(url: str, settings: Mapping[str, str]) -> bool:
    tls = _yes(url, settings, "tls", "no")
    if "ca" in settings and not tls:
        raise _wrong(url, "ca= is for tls=yes")
    return tls


def _yes(url: str, settings: Mapping[str, str], key: str, default: str) -> bool:
    value = settings.get(key, default)
    if value not in {"yes", "no"}:
        raise _wrong(url, f"{key}={value} is not yes or no")
    return value == "yes"


def _keepalive(url: str, settings: Mapping[str, str]) -> int:
    value = settings.get("keepalive", str(KEEPALIVE_S))
    if not (value.isascii() and value.isdigit() and len(value) <= 2 and 2 <= int(value) <= 60):
        raise _wrong(url, f"keepalive={value} is not a whole number of seconds from 2 to 60")
    return int(value)


def _wrong(url: str, what: str) -> LinkUrlError:
    return LinkUrlError(f"link {url!r}: {what}; allowed: {MQTT_FORM}")
