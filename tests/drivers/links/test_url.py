from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.links.link import LinkUrlError
from drivers.links.mqtt_url import MqttUrl
from drivers.links.url import ListenUrl, SerialUrl, TcpUrl, occupied_by, parse_link_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("serial:///dev/ttyS0", SerialUrl("/dev/ttyS0")),
        (
            "serial:///dev/serial/by-id/usb-FTDI-if00?baud=38400&parity=E",
            SerialUrl("/dev/serial/by-id/usb-FTDI-if00", 38400, "E"),
        ),
        ("serial:///tmp/a%20b?baud=9600&parity=o&bits=7&stop=2", SerialUrl("/tmp/a b", 9600, "O", 7, 2)),
        ("tcp://reader.local:4001", TcpUrl("reader.local", 4001)),
        ("tcp://[::1]:4001", TcpUrl("::1", 4001)),
        ("tcp-listen://127.0.0.1:0", ListenUrl("127.0.0.1", 0)),
        ("mqtt://127.0.0.1:1883?client=kangle-z2m", MqttUrl("127.0.0.1", 1883, "kangle-z2m")),
        (
            "mqtt://edge@[::1]:8883?client=c&topics=a/+/b,c/%23&password_file=/etc/p&tls=yes&ca=/etc/ca&keepalive=9",
            MqttUrl("::1", 8883, "c", "edge", ("a/+/b", "c/#"), "/etc/p", "", tls=True, ca="/etc/ca", keepalive_s=9),
        ),
        (
            "mqtt://e%40x@broker:1883?client=c&password_env=P",
            MqttUrl("broker", 1883, "c", "e@x", password_env="P"),
        ),
    ],
)
def test_a_right_url_is_read(url, expected):
    assert parse_link_url(url) == expected


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("/dev/ttyUSB0", "no kind before"),
        ("", "no kind before"),
        ("udp://1.2.3.4:5", "unknown kind 'udp'"),
        ("serial://dev/ttyUSB0", "three slashes"),
        ("serial://", "no device path"),
        ("serial:///", "no device path"),
        ("serial:///dev/ttyS0?speed=9600", "unknown setting 'speed'"),
        ("serial:///dev/ttyS0?baud=fast", "baud=fast is not a whole number"),
        ("serial:///dev/ttyS0?baud=0", "baud=0 is not a whole number"),
        ("serial:///dev/ttyS0?baud=²", "is not a whole number"),
        ("serial:///dev/ttyS0?baud=9600&baud=19200", "baud is given twice"),
        ("serial:///dev/ttyS0?baud", "baud= is not a whole number"),
        ("serial:///dev/ttyS0?parity=X", "parity=X is not N, E or O"),
        ("serial:///dev/ttyS0?bits=9", "bits=9 is not"),
        ("serial:///dev/ttyS0?stop=3", "stop=3 is not"),
        ("tcp://host", "no port"),
        ("tcp://host:0", "no port"),
        ("tcp://:4001", "no host"),
        ("tcp://host:99999", "the port is not a number"),
        ("tcp://host:port", "the port is not a number"),
        ("tcp://host:1?nodelay=1", "nothing may follow the port"),
        ("tcp://user@host:1", "nothing may follow the port"),
        ("tcp-listen://127.0.0.1", "no port"),
        ("tcp://[::1", "Invalid IPv6 URL"),
        ("mqtt://host?client=c", "no port"),
        ("mqtt://:1883?client=c", "no host"),
        ("mqtt://host:99999?client=c", "the port is not a number"),
        ("mqtt://host:1883", "client= must be a fixed name"),
        ("mqtt://host:1883?client=a%20b", "client= must be a fixed name"),
        ("mqtt://host:1883?client=c&client=d", "client is given twice"),
        ("mqtt://host:1883?client=c&ca=", "ca is empty"),
        ("mqtt://host:1883?client=c&qos=2", "unknown setting 'qos'"),
        ("mqtt://host:1883?client=c&topics=a/#", "write # in topics as %23"),
        ("mqtt://host:1883/a?client=c", "may follow the port"),
        ("mqtt://host:1883?client=c&topics=a,", "topics: '' is no topic filter"),
        ("mqtt://host:1883?client=c&topics=a%23", "topics: 'a#' is no topic filter"),
        ("mqtt://host:1883?client=c&topics=%23/a", "topics: '#/a' is no topic filter"),
        ("mqtt://host:1883?client=c&tls=1", "tls=1 is not yes or no"),
        ("mqtt://host:1883?client=c&ca=/etc/ca", "ca= is for tls=yes"),
        ("mqtt://host:1883?client=c&keepalive=0", "keepalive=0 is not a whole number"),
        ("mqtt://host:1883?client=c&password_env=P", "a password needs a user"),
        ("mqtt://u@host:1883?client=c&password_env=P&password_file=/p", "exclude each other"),
    ],
)
def test_a_wrong_url_is_refused_with_the_reason_and_the_allowed_form(url, says):
    with pytest.raises(LinkUrlError) as caught:
        parse_link_url(url)
    assert says in str(caught.value)
    assert "allowed: " in str(caught.value)


def test_a_password_in_the_url_is_refused_and_not_repeated():
    with pytest.raises(LinkUrlError, match="never write a password here") as caught:
        parse_link_url("mqtt://edge:secret@host:1883?client=c")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("mqtt://h:1883?client=a", "mqtt://h:1883?client=b", False),
        ("mqtt://h:1883?client=a", "mqtt://h:1883?topics=x&client=a", True),
        ("serial:///dev/a?baud=9600", "serial:///dev/a?baud=19200", True),
        ("tcp://h:1", "tcp://h:2", False),
        ("tcp-listen://127.0.0.1:1", "tcp-listen://127.0.0.1:1", True),
    ],
)
def test_what_two_links_must_not_share(one, other, same):
    assert (occupied_by(parse_link_url(one)) == occupied_by(parse_link_url(other))) is same


@given(st.text(max_size=60) | st.from_regex(r"(serial|tcp|tcp-listen|mqtt)://[ -~]{0,40}", fullmatch=True))
def test_no_text_does_more_than_be_refused(url):
    parsed = None
    with contextlib.suppress(LinkUrlError):
        parsed = parse_link_url(url)
    assert parsed is None or isinstance(parsed, SerialUrl | TcpUrl | ListenUrl | MqttUrl)
