"""The ``[[sinks]]`` of a site: what they come to, and every way to write them wrongly."""

from __future__ import annotations

import pytest

from edge.site import SiteErrors, render_mistakes
from edge.storage.sinks.settings import SinkKind

INFLUX = """
[[sinks]]
sink = "dashboards"
kind = "influx"
url = "https://influx.example:8086/"
org = "kangle"
bucket = "edge"
token_file = "influx.token"
"""
MQTT = """
[[sinks]]
sink = "district"
kind = "mqtt"
url = "mqtts://mqtt.example"
user = "box"
password_file = "mqtt.password"
verticals = ["garage"]
topic_prefix = "kangle/box-1"
"""


@pytest.fixture
def with_sinks(site):
    """The example site with this text at its end, and usable secrets."""

    def make(text):
        for name in ("influx.token", "mqtt.password"):
            (site.folder / name).write_text("topsecret\n")
            (site.folder / name).chmod(0o600)
        site.write("site.toml", site.read("site.toml") + text)
        return site

    return make


def test_what_the_file_says(with_sinks):
    loaded = with_sinks(INFLUX + MQTT).load()
    influx, mqtt = loaded.sinks
    assert (influx.sink, influx.kind, influx.url) == ("dashboards", SinkKind.INFLUX, "https://influx.example:8086")
    assert (influx.org, influx.bucket, influx.gzip, influx.batch_samples) == ("kangle", "edge", True, 5000)
    assert influx.verticals == loaded.verticals
    assert influx.token_file == loaded.dir / "influx.token"
    assert (mqtt.kind, mqtt.user, mqtt.verticals) == (SinkKind.MQTT, "box", ("garage",))
    assert (mqtt.retain, mqtt.topic_prefix) == (False, "kangle/box-1")
    assert [warning for warning in loaded.warnings if "sinks" in warning.path] == []


def test_two_sinks_with_one_client_name_are_refused(with_sinks):
    """A broker would end the older connection, again and again."""
    named = MQTT + 'client = "box-7"\n'
    site = with_sinks(named + named.replace("district", "town"))
    with pytest.raises(SiteErrors) as found:
        site.load()
    assert [(each.code, each.path) for each in found.value.mistakes] == [("duplicate", "sinks[1].client")]


def test_a_site_without_sinks_has_none(site):
    assert site.load().sinks == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ('kind = "influx"', 'kind = "influxdb"', "not_allowed", "sinks[0].kind"),
        ('url = "https://influx.example:8086/"', "", "missing", "sinks[0].url"),
        ("https://influx.example:8086/", "https://influx.example/api/v2/write", "bad_format", "sinks[0].url"),
        ("https://influx.example:8086/", "mqtt://influx.example", "bad_format", "sinks[0].url"),
        ("https://influx.example:8086/", "https://influx.example:99999", "bad_format", "sinks[0].url"),
        ("https://influx.example:8086/", "https://me:topsecret@influx.example", "unsafe", "sinks[0].url"),
        ("https://influx.example:8086/", "https://influx.example?token=topsecret", "unsafe", "sinks[0].url"),
        ('org = "kangle"', "", "missing", "sinks[0].org"),
        ('bucket = "edge"', 'bucket = "edge"\nbatch_samples = 0', "out_of_range", "sinks[0].batch_samples"),
        ('bucket = "edge"', 'bucket = "edge"\nverticals = ["pool"]', "unknown_id", "sinks[0].verticals[0]"),
        ('bucket = "edge"', 'bucket = "edge"\nbuckets = "x"', "unknown_key", "sinks[0].buckets"),
        ('bucket = "edge"', 'bucket = "edge"\nretain = true', "unknown_key", "sinks[0].retain"),
        ('token_file = "influx.token"', 'token = "topsecret"', "unsafe", "sinks[0].token"),
        ("kangle/box-1", "kangle/#", "bad_format", "sinks[1].topic_prefix"),
        ("mqtts://mqtt.example", "mqtts://mqtt.example/topic", "bad_format", "sinks[1].url"),
        ('user = "box"', 'user = "box"\npassword = "topsecret"', "unsafe", "sinks[1].password"),
        ('sink = "district"', 'sink = "dashboards"', "duplicate", "sinks[1].sink"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_without_secrets(with_sinks, old, new, code, path):
    site = with_sinks(INFLUX + MQTT)
    line = site.swap("site.toml", old, new)
    (mistake,) = site.mistakes()
    assert (mistake.code, mistake.path) == (code, path)
    assert new == "" or mistake.line in {line, line + new.count("\n")}
    assert "topsecret" not in render_mistakes([mistake], "en") + render_mistakes([mistake], "zh")


def unreadable_token(site):
    """It is there and nobody else may see it, but it cannot be read (root may read all files, but no folder)."""
    (site.folder / "influx.token").unlink()
    (site.folder / "influx.token").mkdir(mode=0o700)


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (lambda site: (site.folder / "influx.token").unlink(), "unreadable", "the rest of the box runs"),
        (lambda site: (site.folder / "influx.token").chmod(0o644), "unsafe", "chmod 600 influx.token"),
        (unreadable_token, "unreadable", "nothing can be sent without it"),
        (lambda site: site.swap("site.toml", "https://influx", "http://influx"), "unsafe", "use https or mqtts"),
    ],
)
def test_what_does_not_stop_the_box_is_a_warning(with_sinks, spoil, code, words):
    site = with_sinks(INFLUX + MQTT)
    spoil(site)
    (warning,) = [each for each in site.load().warnings if each.path.startswith("sinks")]
    assert warning.code == code
    assert words in render_mistakes([warning], "en")


def test_plain_text_on_loopback_is_fine(with_sinks):
    site = with_sinks(INFLUX)
    site.swap("site.toml", "https://influx.example:8086/", "http://127.0.0.1:8086")
    assert [each for each in site.load().warnings if each.path.startswith("sinks")] == []
