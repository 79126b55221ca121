"""Devices against their drivers, and what counts as this machine."""

from __future__ import annotations

import pytest

from drivers.links.url import parse_link_url
from drivers.registry import make_driver
from edge.site import Site
from edge.site_devices import is_loopback


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("127.example.org", False),
        ("localhost.example.org", False),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("", False),
    ],
)
def test_loopback(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours


def test_the_example_devices_open_with_their_drivers(example: Site) -> None:
    for device in example.devices["canteen"]:
        assert make_driver(device.protocol, device.options).protocol == device.protocol
        parse_link_url(device.link)


@pytest.mark.parametrize("link", ["tcp://10.0.0.5:4001", "tcp-listen://127.0.0.1:4001", "serial:///dev/x?baud=9600"])
def test_links_of_every_kind(site, link: str) -> None:
    site.swap(
        "site.toml",
        "serial:///dev/serial/by-id/usb-FTDI_FT232R_USB_UART_EXAMPLE1-if00-port0?baud=115200&parity=E",
        link,
    )
    assert site.load().devices["canteen"][0].link == link


def test_a_device_that_calls_in_from_the_network_is_a_warning(site) -> None:
    site.swap(
        "site.toml", "serial:///dev/serial/by-id/usb-1a86_USB_Serial_EXAMPLE2-if00-port0", "tcp-listen://0.0.0.0:1"
    )
    site.swap("site.toml", "?baud=115200&parity=N", "")
    assert ("unsafe", "canteen.devices[1].link") in [(m.code, m.path) for m in site.load().warnings]


def test_every_wrong_option_is_reported(site) -> None:
    site.swap("site.toml", "power_cdbm = 1500", "power_cdbm = -1\nq = 99\nsession = 2")
    assert [m.path.rpartition(".")[2] for m in site.mistakes()] == ["power_cdbm", "q", "session"]


def test_a_key_that_is_wrong_is_not_printed(site) -> None:
    key = "5ec2e7" * 7
    site.swap("site.toml", 'protocol = "magicrf"', 'protocol = "osdp"')
    site.swap("site.toml", 'region = "cn900"', f'scbk = "{key}"')
    site.swap("site.toml", "power_cdbm = 1500 # 15 dBm: enough for a tray, too little for the next lane\n", "")
    (mistake,) = [m for m in site.mistakes() if m.path.endswith("scbk")]
    assert key not in str(mistake)
    assert "32 hex digits" in mistake.hint.en


def test_two_daemons_with_one_client_name_would_throw_each_other_off(site) -> None:
    gym = next(device for device in site.load().devices["gym"] if device.link.startswith("mqtt:"))
    site.swap("site.toml", gym.link, "mqtt://127.0.0.1:1883?client=kangle-zigbee")
    (mistake,) = site.mistakes()
    assert (mistake.code, mistake.path) == ("duplicate", "gym.devices[0].link")


def test_two_links_of_shellys_with_one_answer_topic_are_refused(site) -> None:
    other = '[[garage.devices]]\ndevice = "other"\nprotocol = "shelly"\nlink = "mqtt://127.0.0.1:1883?client=other"\n'
    site.swap("site.toml", "[[garage.devices]]", other + "[[garage.devices]]")
    assert "duplicate" in [mistake.code for mistake in site.mistakes()]
    site.swap("site.toml", other, other + '[garage.devices.options]\nsource = "kangle-other"\n')
    assert site.load().garage is not None


def test_a_password_is_not_looked_for_beside_the_site_file(site) -> None:
    """It would be where the process happens to run: in the code's folder under the units."""
    at = "edge@127.0.0.1:1883?client=kangle-zigbee&password_file="
    site.swap("site.toml", "127.0.0.1:1883?client=kangle-zigbee", f"{at}mqtt.password")
    assert ("bad_format", "garage.devices[0].link") in [(m.code, m.path) for m in site.load().warnings]
    site.swap("site.toml", "=mqtt.password", "=/etc/kangle/mqtt.password")
    assert [m for m in site.load().warnings if m.code == "bad_format"] == []
