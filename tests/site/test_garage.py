"""The garage of a site: a file that is badly written is refused whole, one that makes no sense is loaded and refuses to
arm."""

from __future__ import annotations

import pytest

from edge.domain.field_devices import SignalKind
from edge.domain.garage.arming import mistakes
from edge.domain.garage.settings import OutputKind
from edge.domain.places import Place
from edge.site import SiteErrors

ZONES, TARIFF, SITE = "garage/zones.toml", "garage/tariff.toml", "site.toml"


def codes(site):
    return {(mistake.code, last(mistake)) for mistake in site.mistakes()}


def last(mistake):
    """The last word of the path to what is wrong."""
    return mistake.path.rpartition(".")[2].partition("[")[0]


def test_the_example_arms_and_has_every_layer_of_the_interlock(example):
    garage = example.garage
    assert example.verticals == ("canteen", "garage", "gym")
    assert mistakes(garage) == ()
    assert [zone.zone for zone in garage.zones] == ["b1-east", "b1-west", "stair-3"]
    for zone in garage.zones:
        kinds = {output.kind for output in garage.outputs if output.zone == zone.zone}
        assert {OutputKind.CONTACTOR, OutputKind.SIREN, OutputKind.DOOR} <= kinds
        assert len([source for source in garage.sources if (source.zone, source.kind) == (zone.zone, "smoke")]) >= 2
        assert zone.panels
    used = {thing.at.device for things in (garage.sources, garage.outputs, garage.ports) for thing in things}
    assert used == {each.device for each in example.devices["garage"]}, (
        "no device without a thing, no thing without one"
    )
    assert {each.protocol for each in example.devices["garage"]} == {
        "zigbee2mqtt", "shelly", "tasmota", "dlt645", "modbus", "gb26875", "osdp"
    }  # fmt: skip


def test_a_sensor_may_be_known_to_be_away_until_a_day(site):
    site.swap(ZONES, 'kind = "smoke"', 'kind = "smoke"\nknown_until = 2026-12-31')
    assert "2026-12-31" in {source.known_until for source in site.load().garage.sources}


def test_numbers_of_a_port_come_from_the_port_then_the_defaults(site):
    site.swap(ZONES, "warn_w = 300", "warn_w = 250")
    site.swap(ZONES, 'port = "b1e-01"', 'port = "b1e-01"\nwarn_w = 120')
    ports = {port.port: port for port in site.load().garage.ports}
    assert (ports["b1e-01"].warn_w, ports["b1e-02"].warn_w, ports["b1e-02"].cut_w) == (120, 250, 600)
    assert ports["b1w-01"].hold_s == 0
    assert ports["b1e-01"].at == Place("plugs-east", "shellyplug-b1e-01:0")


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (ZONES, 'kind = "smoke"', 'kind = "smok"', ("not_allowed", "kind")),
        (ZONES, 'kind = "smoke"', 'kind = "smoke"\nknown_until = "soon"', ("bad_format", "known_until")),
        (ZONES, 'device = "zigbee"', 'device = "zigbe"', ("unknown_id", "device")),
        (ZONES, "limit_w = 3000", "limit_w = 3", ("out_of_range", "limit_w")),
        (ZONES, "limit_w = 3000", "limit = 3000", ("unknown_key", "limit")),
        (ZONES, 'zone = "b1-west"', 'zone = "b1-east"', ("duplicate", "zone")),
        (ZONES, 'output = "b1e-feed"', 'output = "b1e-contactor"', ("duplicate", "output")),
        (ZONES, 'port = "b1e-02"', 'port = "b1e-01"', ("duplicate", "port")),
        (ZONES, "cut_w = 600", "cut_w = 200", ("contradiction", "port")),
        (ZONES, 'point = "b1e-smoke-1"', 'point = "b1e/#"', ("bad_format", "point")),
        (ZONES, 'kind = "contactor"', 'kind = "door "', ("not_allowed", "kind")),
        (TARIFF, 'end = "06:00"', 'end = "05:00"', ("contradiction", "start")),
        (TARIFF, 'end = "24:00"', 'end = "23:00"', ("missing", "bands")),
        (TARIFF, 'energy_yuan_per_kwh = "0.62"', "energy_yuan_per_kwh = 0.62", ("wrong_type", "energy_yuan_per_kwh")),
        (SITE, "offline_limit_fen = 1000", "offline_limit_fen = -1", ("out_of_range", "offline_limit_fen")),
        (SITE, "client=kangle-plugs-east", "client=kangle-zigbee", ("duplicate", "link")),
        (SITE, "client=kangle-trail", "client=kangle-zigbee", ("duplicate", "link")),
        (SITE, "127.0.0.1:1883?client=kangle-trail", "localhost:1883?client=kangle-zigbee", ("duplicate", "link")),
        (SITE, "EXAMPLE6", "EXAMPLE4", ("duplicate", "link")),
        (SITE, 'protocol = "gb26875"', 'protocol = "gb26876"', ("not_allowed", "protocol")),
    ],
)
def test_every_slip_is_told_with_its_place(site, file, old, new, expected):
    line = site.swap(file, old, new)
    found = site.mistakes()
    assert expected in codes(site), [str(mistake) for mistake in found]
    told = next(mistake for mistake in found if (mistake.code, last(mistake)) == expected)
    assert told.file == file
    if expected[0] not in {"contradiction", "missing"}:  # these are told where they show, not where they were made
        assert abs((told.line or 0) - line) < 6


def test_several_slips_are_told_together(site):
    site.swap(ZONES, 'kind = "heat"', 'kind = "hot"')
    site.swap(ZONES, "prove_s = 5", "prove_s = 500")
    site.swap(TARIFF, 'minimum_yuan = "0.10"', "minimum_yuan = 0.10")
    assert {code for code, _ in codes(site)} == {"not_allowed", "out_of_range", "wrong_type"}


def test_a_missing_table_is_one_mistake_and_no_crash(site):
    (site.folder / "garage" / "zones.toml").unlink()
    with pytest.raises(SiteErrors):
        site.load()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('zone = "stair-3"\nname', 'zone = "stair-3"\nneighbours = ["b2"]\nname', "neighbour b2 is not described"),
        ('source = "b1w-smoke-1"', 'source = "b1e-smoke-1"', "stands in two zones (b1-east and b1-west)"),
        ('kind = "contactor"', 'kind = "door"', "has chargers and no contactor"),
        ('panels = ["stair-3-panel"]', "panels = []", "nobody could reset it on site"),
        ('feedback_source = "b1e-flow"\nfeedback_s = 30', "", "water without a feedback"),
        ('point = "b1e-smoke-2"', 'point = "b1e-smoke-1"', "one sensor is one source"),
        ('key_switch = "b1e-key"', 'key_switch = "b1w-key"', "is not a source of kind key_switch in this zone"),
    ],
)
def test_what_makes_no_sense_is_a_warning_and_the_garage_refuses_to_arm(site, old, new, words):
    site.swap(ZONES, old, new)
    loaded = site.load()
    assert any(words in problem.en for problem in mistakes(loaded.garage)), mistakes(loaded.garage)
    assert any(warning.code == "not_armed" and words in warning.hint.en for warning in loaded.warnings)


def test_a_site_without_a_garage_needs_none_of_it(site):
    site.swap(SITE, 'verticals = ["canteen", "garage", "gym"]', 'verticals = ["canteen"]')
    loaded = site.load()
    assert loaded.garage is None
    assert loaded.devices["garage"] == ()


def test_two_sites_of_the_same_files_have_the_same_version_and_a_change_another(site, example):
    assert site.load().garage.version == example.garage.version
    site.swap(ZONES, "cut_c = 65", "cut_c = 64")
    assert site.load().garage.version != example.garage.version
    assert {source.kind for source in example.garage.sources} >= {SignalKind.FLOW, SignalKind.PANEL_FIRE}


ESCALATION = """
[[garage.escalation]]
priority = "fire"
channel = "webhook"
target = "{target}"
"""


def test_whom_to_tell_of_alarms(site) -> None:
    site.write("site.toml", site.read("site.toml") + ESCALATION.format(target="https://district.example/a"))
    (step,) = site.load().garage.escalation
    assert (step.priority.value, step.channel.value, step.after_s) == ("fire", "webhook", 0)


def test_a_target_must_fit_its_channel(site) -> None:
    site.write("site.toml", site.read("site.toml") + ESCALATION.format(target="mqtt://127.0.0.1/a"))
    assert [(m.path.rpartition(".")[2], m.code) for m in site.mistakes()] == [("target", "bad_format")]


def test_the_channel_page_names_nobody(site) -> None:
    page = '[[garage.escalation]]\npriority = "high"\nchannel = "page"\nafter_s = 60\n'
    site.write("site.toml", site.read("site.toml") + page)
    (step,) = site.load().garage.escalation
    assert (step.channel.value, step.target, step.after_s) == ("page", "any panel", 60)
    site.swap("site.toml", 'channel = "page"\nafter_s', 'channel = "page"\ntarget = "x"\nafter_s')
    assert [m.path.rpartition(".")[2] for m in site.mistakes()] == ["target"]


def test_wrong_names_are_told_beside_mistakes_of_writing(site):
    """Whoever mistypes ten things learns of them at once, also of those that only the whole can show."""
    site.swap("garage/zones.toml", 'kind = "smoke"', 'kind = "somke"')
    site.swap("garage/zones.toml", 'neighbours = ["b1-west"]', 'neighbours = ["b1-wset"]')
    with pytest.raises(SiteErrors) as caught:
        site.load()
    assert "not_allowed" in {one.code for one in caught.value.mistakes}
    (told,) = [one for one in caught.value.warnings if one.code == "not_armed"]
    assert "b1-wset" in told.hint.en
    assert "相邻" in told.hint.zh
