"""The register of equipment: every piece of the site file, what is known of it, and nothing that nobody wrote down."""

from __future__ import annotations

import csv
import io
import threading

import msgspec
import pytest

from edge.api.gym_books import StoreGymBooks
from edge.api.gym_register import life_end, register_of
from edge.api.preview_gym import DAY
from edge.api.preview_gym_world import CONFIG, ROW
from edge.domain.actors import Actor, Role
from edge.domain.devices import DeviceReading
from edge.domain.gym.messages import DayOpened, Inspect, LockOut
from edge.domain.gym.rows import ROW_TYPES, UseRow
from edge.domain.gym.settings import AssetKind
from edge.domain.machine_readings import CountReading
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore

BASE = "/api/v1/gym"
FITTER = Actor(Role.MAINTENANCE, "duty1")


@pytest.fixture
def inspected(api):
    """One outdoor piece was inspected and found dangerous, another never was."""
    items = tuple((item, "danger" if number == 0 else "ok") for number, (item, _) in enumerate(CONFIG.inspection))
    api.gym.order(Inspect(asset="od-1", items=items, note="torn"), FITTER)
    return api


def say(api, point, count, **facts):
    """A word of an outdoor point's counter, a minute later than the one before."""
    api.gym.elapse(61)
    api.gym.give(DeviceReading(ROW, 1, CountReading(point=point, use_count=count, **facts)))


def items_of(answer):
    assert answer.status_code == 200
    return {item["asset"]: item for item in answer.json()["items"]}


def test_every_piece_of_the_site_is_in_it(api):
    items = items_of(api.get(f"{BASE}/register", who="maintenance"))
    assert list(items) == [one.asset for one in CONFIG.assets]
    outdoor = items_of(api.get(f"{BASE}/register?outdoor=true", who="read-only"))
    assert list(outdoor) == [one.asset for one in CONFIG.assets if one.kind is AssetKind.OUTDOOR]


def test_a_piece_has_its_dates_its_inspection_and_what_stands_against_it(inspected):
    items = items_of(inspected.get(f"{BASE}/register", who="maintenance"))
    one, other = items["od-1"], items["od-2"]
    assert (one["installed"], one["life_end"], one["model"]) == ("2026-11-02", "2034-11-02", "outdoor-x1")
    assert (one["inspected_day"], one["inspection_grade"], one["inspected_by"]) == ("2026-11-20", "danger", "duty1")
    assert (one["orders"], one["locked_out"]) == (1, True)
    assert (other["inspected_day"], other["inspection_grade"], other["orders"]) == ("", "", 0)


def test_the_next_inspection_counts_from_the_last_one_or_from_the_installation(inspected):
    wear = tuple(msgspec.structs.replace(one, inspect_days=30) for one in CONFIG.wear if one.kind is AssetKind.OUTDOOR)
    found = register_of(msgspec.structs.replace(CONFIG, wear=wear), inspected.gym_books, outdoor=True)
    assert [one.inspection_due for one in found.items] == ["2026-12-20", "2026-12-02"]


@pytest.mark.parametrize(
    ("installed", "years", "end"),
    [("2019-05-01", 8, "2027-05-01"), ("2020-02-29", 9, "2029-02-28"), ("", 8, ""), ("2019-05-01", 0, "")],
)
def test_a_life_that_nobody_wrote_down_has_no_end(installed, years, end):
    assert life_end(installed, years) == end


def test_as_a_sheet_it_says_the_same(inspected):
    answer = inspected.get(f"{BASE}/register.csv?outdoor=true", who="manager")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["asset"] for row in rows] == ["od-1", "od-2"]
    assert (rows[0]["name_zh"], rows[0]["life_end"], rows[0]["locked_out"]) == ("户外器材 1", "2034-11-02", "true")
    assert rows[1]["inspection_grade"] == ""


def test_what_stands_is_told_of_the_machine_that_it_stands_against(api):
    api.gym.order(LockOut(asset="tm-2", note="belt"), FITTER)
    api.gym.give(DayOpened("2026-11-21"))
    items = items_of(api.get(f"{BASE}/register", who="coach"))
    assert {name for name, item in items.items() if item["locked_out"]} == {"tm-2"}
    assert items["tm-1"]["hours_h"] is not None
    assert items["tm-1"]["starts"] == 1


def test_what_falls_due_is_no_defect(inspected):
    inspected.gym.give(DayOpened("2027-03-01"))
    items = items_of(inspected.get(f"{BASE}/register?outdoor=true", who="maintenance"))
    assert (items["od-1"]["defects"], items["od-1"]["place"]) == (1, {"zh": "户外健身点", "en": "Outdoor points"})
    assert items["od-2"]["orders"] > items["od-2"]["defects"] == 0


def test_a_counter_tells_its_day_and_when_it_was_last_heard(api):
    say(api, "od-1", 412)
    say(api, "od-1", 420, battery_pct=61.0)
    items = items_of(api.get(f"{BASE}/register?outdoor=true", who="coach"))
    od = items["od-1"]
    assert (od["uses_today"], od["counter_day"], od["battery_pct"], od["counter_silent"]) == (8, DAY, 61.0, False)
    assert items["od-2"]["uses_today"] == 0


def test_the_uses_of_a_day_are_told_when_it_is_over(api):
    say(api, "od-1", 412)
    say(api, "od-1", 420)
    assert api.get(f"{BASE}/counts?day={DAY}", who="manager").json() == {"day": DAY, "uses": 0, "items": []}
    api.gym.give(DayOpened("2026-11-21"))
    told = api.get(f"{BASE}/counts?day={DAY}", who="manager").json()
    assert (told["uses"], [one["asset"] for one in told["items"]]) == (8, ["od-1", "od-2"])
    assert [(hour, n) for hour, n in enumerate(told["items"][0]["hours"]) if n] == [(12, 8)]
    assert api.get(f"{BASE}/counts?day=yesterday", who="manager").status_code == 422


def test_a_day_of_more_places_than_a_page_holds_is_told_whole(tmp_path):
    """A park has 65 places; an hour of each is a row."""
    row = UseRow(day=DAY, hour=0, zone="", kind="outdoor", busy_ms=0, workouts=1, turned_away=0, waits=0, wait_ms=0,
                 longest_wait_ms=0, no_shows=0)  # fmt: skip
    wanted = [msgspec.structs.replace(row, hour=hour, zone=f"c{place:02}") for hour in range(24) for place in range(65)]
    store = FactsStore.open(tmp_path, ROW_TYPES, vertical="gym", ballast_bytes=1 << 16)
    done = threading.Event()
    store.submit(Batch(records=[], rows=wanted, snapshot=None, set_aside=[]), lambda _: done.set())
    assert done.wait(60)
    books = StoreGymBooks(tmp_path)
    assert books.use_hours(DAY) == wanted
    books.close()
    store.close()
