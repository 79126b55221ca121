from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.links.link import LinkUrlError
from drivers.links.url import ListenUrl, SerialUrl, TcpUrl, parse_link_url


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
    ],
)
def test_a_wrong_url_is_refused_with_the_reason_and_the_allowed_form(url, says):
    with pytest.raises(LinkUrlError) as caught:
        parse_link_url(url)
    assert says in str(caught.value)
    assert "allowed: " in str(caught.value)


@given(st.text(max_size=60) | st.from_regex(r"(serial|tcp|tcp-listen)://[ -~]{0,40}", fullmatch=True))
def test_no_text_does_more_than_be_refused(url):
    parsed = None
    with contextlib.suppress(LinkUrlError):
        parsed = parse_link_url(url)
    assert parsed is None or isinstance(parsed, SerialUrl | TcpUrl | ListenUrl)
