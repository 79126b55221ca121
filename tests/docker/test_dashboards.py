"""Grafana's data source and dashboards: every query names a measurement and a field that the box really sends."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from edge.domain.field_devices import SignalKind
from edge.runtime.kernels import KERNELS
from edge.storage.sample_fields import plan_of, reading_types

MEASUREMENT = re.compile(r'r\._measurement == "([a-z]+)"')
FIELD = re.compile(r'r\._field == "([a-z0-9_]+)"')
TAGS = {"site", "device", "point"}


def sent_fields():
    """Field -> its kind, as the extraction table has them."""
    fields = {}
    for kind in reading_types():
        plan = plan_of(kind)
        for field in plan.fields:
            names = [each.value for each in SignalKind] if plan.by_kind and not field.quantity else [field.quantity]
            fields |= dict.fromkeys(names, field.kind.value)
    return fields


def dashboards(root):
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((root / "docker/grafana/dashboards").glob("*.json"))
    }


def queries(board):
    return [(panel, target["query"]) for panel in board["panels"] for target in panel["targets"]]


def test_there_is_a_dashboard_for_each_vertical(root):
    assert set(dashboards(root)) == set(KERNELS)


def test_every_query_names_what_the_box_sends(root):
    known = sent_fields()
    assert known["power_w"] == "number"
    assert known["smoke"] == "state"
    for name, board in dashboards(root).items():
        assert len(queries(board)) >= 6
        for panel, query in queries(board):
            assert MEASUREMENT.findall(query) == [name], panel["title"]
            fields = FIELD.findall(query)
            assert fields, panel["title"]
            for field in fields:
                assert field in known, f"{name}: {panel['title']}: nothing sends {field}"
                assert known[field] == ("state" if panel["type"] == "state-timeline" else "number"), panel["title"]


def test_every_query_is_bounded_in_time_and_in_points(root):
    for board in dashboards(root).values():
        for panel, query in queries(board):
            assert 'from(bucket: "kangle")' in query
            assert "range(start: v.timeRangeStart, stop: v.timeRangeStop)" in query
            assert "aggregateWindow(every: v.windowPeriod" in query, panel["title"]
            kept = re.search(r"keep\(columns: \[([^\]]*)\]", query)
            words = set(re.findall(r'"(\w+)"', kept[1])) if kept else {"device", "point"}
            assert words <= {"_time", "_value", *TAGS}
            for opening, closing in ("()", "[]", "{}"):
                assert query.count(opening) == query.count(closing), panel["title"]
            mean_of_words = panel["type"] == "state-timeline" and "fn: mean" in query
            assert not mean_of_words, "a word has no mean"


def test_panels_and_variables_use_the_provisioned_source(root):
    source = yaml.safe_load((root / "docker/grafana/provisioning/datasources/influxdb.yaml").read_text())[
        "datasources"
    ][0]
    assert (source["jsonData"]["version"], source["jsonData"]["defaultBucket"]) == ("Flux", "kangle")
    assert source["secureJsonData"]["token"] == "$__file{/run/secrets/influx_token}"
    ids = set()
    for board in dashboards(root).values():
        assert board["uid"] not in ids
        ids.add(board["uid"])
        for panel, _ in queries(board):
            assert panel["datasource"]["uid"] == source["uid"]
            assert panel["description"]
        (variable,) = board["templating"]["list"]
        assert variable["datasource"]["uid"] == source["uid"]
        numbers = [panel["id"] for panel in board["panels"]]
        assert len(set(numbers)) == len(numbers)


def test_panels_do_not_overlap(root):
    for board in dashboards(root).values():
        taken = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
            assert not cells & taken, panel["title"]
            assert all(x < 24 for x, _ in cells)
            taken |= cells


def test_the_provider_reads_the_folder_that_is_mounted(root, compose):
    provider = yaml.safe_load((root / "docker/grafana/provisioning/dashboards/kangle.yaml").read_text())["providers"][0]
    mounted = [volume.split(":") for volume in compose["services"]["grafana"]["volumes"]]
    assert [provider["options"]["path"]] == [
        target for source, target, *_ in mounted if source == "./grafana/dashboards"
    ]
    assert source_of_influx(compose) == "/run/secrets/influx_token"


def source_of_influx(compose):
    assert "influx_token" in compose["services"]["grafana"]["secrets"]
    return f"/run/secrets/{'influx_token'}"


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_line_protocol_and_queries_agree_on_names(root, name):
    """A sample of this vertical, as the InfluxDB sink writes it, is found by the dashboard's filters."""
    from edge.storage.sample_model import Series, SeriesKind
    from edge.storage.sinks.line_protocol import _parts

    fields = sent_fields()
    for _, query in queries(dashboards(root)[name]):
        (field,) = FIELD.findall(query)
        series = Series(
            id=1, vertical=name, device="d", point="p", quantity=field, unit="", kind=SeriesKind(fields[field])
        )
        head = _parts("here", series).head
        assert head.startswith(f"{MEASUREMENT.findall(query)[0]},site=here,device=d,point=p {field}=")
