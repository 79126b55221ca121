"""The history over HTTP: columns, words, paging, CSV, refusals; who may see it."""

from __future__ import annotations

import csv
import io

import pytest

from edge.api.history_csv import csv_rows
from edge.api.history_gateway import NoHistory, SocketHistory
from edge.api.preview_history import GAP, LAST_NS
from edge.runtime.history_messages import AskStatus, SamplesPart, SeriesInfo

BASE = "/api/v1/history"
END_MS = LAST_NS // 1_000_000
HOUR_MS = 3_600_000
SPAN = f"begin_ms={END_MS - HOUR_MS}&end_ms={END_MS}"


def test_series_are_listed_in_pages(api):
    first = api.get(f"{BASE}/series?vertical=garage&limit=5", who="maintenance").json()
    assert [one["key"] for one in first["items"]] == [f"garage.{n}" for n in range(1, 6)]
    assert (first["items"][0]["quantity"], first["items"][0]["unit"]) == ("power_w", "W")
    found, cursor = first["items"], first["next_cursor"]
    while cursor:
        page = api.get(f"{BASE}/series?vertical=garage&limit=5&cursor={cursor}", who="maintenance").json()
        found, cursor = found + page["items"], page["next_cursor"]
    assert len({one["key"] for one in found}) == 18
    smoke = next(one for one in found if one["quantity"] == "smoke")
    assert (smoke["kind"], smoke["last_value"], smoke["last_word"]) == ("state", None, "false")


def test_last_values_are_columns(api):
    last = api.get(f"{BASE}/last?vertical=garage", who="read-only").json()
    assert {len(column) for column in last.values()} == {18}
    assert last["key"][0] == "garage.1"


def test_samples_page_without_hole_or_repeat(api):
    found, cursor = [], ""
    while cursor is not None:
        at = f"&cursor={cursor}" if cursor else ""
        page = api.get(f"{BASE}/samples?series=garage.1&{SPAN}&limit=999{at}", who="manager").json()
        assert len(page["time_ms"]) == len(page["value"]) == len(page["quality"])
        found += page["time_ms"]
        cursor = page["next_cursor"]
    assert found == list(range(END_MS - HOUR_MS, END_MS, 1000))


def test_states_have_words(api):
    page = api.get(f"{BASE}/samples?series=garage.17&{SPAN}&limit=3", who="admin").json()
    assert page["value"] == [None] * 3
    assert set(page["word"]) <= {"true", "false"}


def test_a_cursor_is_for_its_own_series(api):
    page = api.get(f"{BASE}/samples?series=garage.1&{SPAN}&limit=5", who="admin").json()
    other = api.get(f"{BASE}/samples?series=garage.2&{SPAN}&cursor={page['next_cursor']}", who="admin")
    assert (other.status_code, other.json()["code"]) == (400, "bad_cursor")


def test_windows_groups_and_plots(api):
    windows = api.get(f"{BASE}/windows?series=garage.1&series=canteen.1&{SPAN}&window_s=600", who="admin").json()
    assert [one["series"]["key"] for one in windows["items"]] == ["garage.1", "canteen.1"]
    one = windows["items"][0]
    assert one["n"][1:-1] == [600] * (len(one["n"]) - 2)
    assert all(low <= mean <= high for low, mean, high in zip(one["min"], one["mean"], one["max"], strict=True))
    group = api.get(f"{BASE}/group?series=garage.1&series=garage.3&{SPAN}&window_s=600", who="admin").json()
    assert set(group["members"]) == {2}
    plot = api.get(
        f"{BASE}/plot?series=garage.3&series=canteen.1&begin_ms={END_MS - 86_400_000}&end_ms={END_MS}", who="admin"
    ).json()
    assert [curve["series"]["key"] for curve in plot["curves"]] == ["garage.3", "canteen.1"]
    assert plot["curves"][0]["resolution_s"] == 60
    assert None in plot["curves"][0]["value"]
    assert plot["gaps"][0]["begin_ms"] == GAP.begin_ns // 1_000_000


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("samples?series=garage.99&" + SPAN, 404, "unknown_series"),
        ("samples?series=pool.1&" + SPAN, 404, "unknown_series"),
        (f"samples?series=garage.1&begin_ms={END_MS}&end_ms={END_MS}", 422, "bad_value"),
        ("samples?series=garage&" + SPAN, 422, "invalid"),
        (f"windows?series=garage.1&begin_ms=0&end_ms={END_MS}&window_s=1", 422, "too_much"),
        ("group?series=garage.1&series=canteen.1&" + SPAN, 422, "bad_value"),
        ("plot?" + SPAN, 422, "invalid"),
        ("plot?" + "&".join(f"series=garage.{n}" for n in range(1, 18)) + "&" + SPAN, 422, "invalid"),
    ],
)
def test_what_cannot_be_answered_says_why(api, query, status, code):
    answer = api.get(f"{BASE}/{query}", who="admin")
    assert answer.status_code == status
    assert answer.json()["code"] == code or code == "invalid"


@pytest.mark.parametrize("who", ["cashier", "member", "panel", "resident", "terminal1"])
def test_not_for_everybody(api, who):
    answer = api.get(f"{BASE}/samples?series=garage.1&{SPAN}", who=who)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_csv_is_complete_and_marked_as_utf8(api):
    answer = api.get(f"{BASE}/export.csv?series=garage.1&series=garage.17&{SPAN}", who="manager")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbftime,")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert len(rows) == 7200
    assert rows[0]["device"] == "charger-board"
    assert rows[0]["time"].endswith("+08:00")
    assert {row["quality"] for row in rows} == {"good"}
    assert {row["value"] for row in rows[3600:]} <= {"true", "false"}


@pytest.mark.parametrize(("rows_max", "cut"), [(7200, False), (7199, True), (3600, True), (3599, True)])
def test_a_csv_that_is_not_everything_says_so_in_its_last_line(api, monkeypatch, rows_max, cut):
    """It ends like any other download: nobody would miss the second series, or the last week."""
    monkeypatch.setattr("edge.api.routers.history.CSV_ROWS_MAX", rows_max)
    answer = api.get(f"{BASE}/export.csv?series=garage.1&series=garage.17&{SPAN}", who="manager")
    head, *lines = answer.content.decode("utf-8-sig").split("\r\n")[:-1]
    assert ("incomplete" in lines[-1], len(lines)) == (cut, rows_max + cut)
    assert all(line.count(",") == head.count(",") for line in lines[: rows_max - 1])


def test_a_name_is_no_formula():
    info = SeriesInfo(
        vertical="garage",
        id=1,
        device="=cmd|'/c calc'!A0",
        point="@x",
        quantity="power_w",
        unit="W",
        kind="number",
        words=(),
        last_ns=0,
        last_value=None,
        last_quality=0,
    )
    text = csv_rows(SamplesPart(info, bytes(8), bytes(8), bytes(1), None), 10).decode()
    assert "'=cmd" in text
    assert ",'@x," in text


@pytest.mark.parametrize("gateway", [NoHistory(), "socket"])
def test_without_the_history_process_it_says_so_and_the_rest_works(make_api, tmp_path, gateway):
    api = make_api(history=SocketHistory(tmp_path / "nobody.sock") if gateway == "socket" else gateway)
    answer = api.get(f"{BASE}/series?vertical=garage", who="admin")
    assert (answer.status_code, answer.json()["code"]) == (503, "history_away")
    assert api.get("/api/v1/garage", who="admin").status_code == 200
    with pytest.raises(Exception, match=r".+"):
        api.run(api.context.history.ask(AskStatus()))


def test_status_names_each_part_and_its_sinks(api):
    status = api.get(f"{BASE}/status", who="maintenance").json()
    assert [one["vertical"] for one in status["items"]] == ["canteen", "garage", "gym"]
    assert status["items"][1]["sinks"][0]["lag_inputs"] == 12


def test_a_zone_is_asked_for_by_its_name(api):
    (zone,) = api.get(f"{BASE}/zones?vertical=garage", who="read-only").json()["items"]
    assert (zone["zone"], zone["name"]["en"]) == ("B1", "Charging area B1")
    assert zone["quantities"] == [{"quantity": "power_w", "unit": "W", "members": 8}]
    asked = f"zone?vertical=garage&zone=B1&quantity=power_w&{SPAN}&window_s=600"
    group = api.get(f"{BASE}/{asked}", who="manager").json()
    assert len(group["series"]) == 8
    assert {one["quantity"] for one in group["series"]} == {"power_w"}
    keys = "&".join(f"series={one['key']}" for one in group["series"])
    assert group == api.get(f"{BASE}/group?{keys}&{SPAN}&window_s=600", who="manager").json()
    unknown = api.get(f"{BASE}/{asked.replace('zone=B1', 'zone=Z9')}", who="manager")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_zone")
    assert api.get(f"{BASE}/{asked}", who="cashier").status_code == 403
