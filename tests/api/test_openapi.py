"""The committed description is the running one, and says enough for a stranger to use it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from edge import __version__
from edge.api.app import assemble
from edge.api.openapi import document_json
from edge.api.problem_texts import TEXTS
from edge.api.roles import ROLES

COMMITTED = Path(__file__).parents[2] / "edge" / "api" / "openapi.json"


@pytest.fixture(scope="module")
def document():
    return json.loads(COMMITTED.read_bytes())


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_committed_document_is_the_running_one():
    running = document_json(assemble(__version__))
    assert running == COMMITTED.read_bytes(), "run: python -m edge.api.openapi > edge/api/openapi.json"


def test_the_served_document_is_the_same(shared_api):
    served = shared_api.get("/openapi.json")
    assert served.json()["paths"] == json.loads(COMMITTED.read_bytes())["paths"]


def test_it_is_in_the_wheel_folder_and_has_relative_servers(document):
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/"}]


def test_every_operation_is_named_once_tagged_and_described(document):
    ids = Counter(operation["operationId"] for _, _, operation in operations(document))
    assert [name for name, count in ids.items() if count > 1] == []
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], f"{method} {path}"
        assert set(operation["tags"]) <= tags
        assert len(operation["tags"]) == 1, path
        assert operation["operationId"] in ROLES


def test_every_operation_says_who_may_call_it(document):
    for path, _, operation in operations(document):
        roles = ROLES[operation["operationId"]]
        if roles is None:
            assert operation["security"] == [], path
        else:
            assert "security" not in operation
            assert f"Roles: {', '.join(sorted(roles))}." in operation["description"]


def test_every_operation_answers_problems_as_problem_json(document):
    for path, _, operation in operations(document):
        failures = {status for status in operation["responses"] if status[0] in "45"}
        assert {"400", "405", "500", "503"} <= failures, path
        for status in failures:
            ref = operation["responses"][status]["$ref"].rpartition("/")[2]
            content = document["components"]["responses"][ref]["content"]
            assert list(content) == ["application/problem+json"]
    assert "HTTPValidationError" not in COMMITTED.read_text()


def test_every_command_needs_the_idempotency_key(document):
    for path, method, operation in operations(document):
        names = {p["name"]: p for p in operation.get("parameters", ())}
        of_vertical = any(f"/{vertical}/" in path for vertical in ("canteen", "garage", "gym"))
        is_command = method == "post" and of_vertical and "quotes" not in path
        assert ("Idempotency-Key" in names) == is_command, path
        if is_command:
            key = names["Idempotency-Key"]
            assert key["required"]
            assert (key["schema"]["minLength"], key["schema"]["maxLength"]) == (1, 255)


def fields(document):
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            yield name, field, described


def test_every_field_has_words(document):
    assert [f"{name}.{field}" for name, field, described in fields(document) if not described.get("description")] == []
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description") or parameter["schema"].get("description"), (path, parameter["name"])


def test_every_plain_field_of_a_request_has_an_example(document):
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for _, _, operation in operations(document)
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert len(bodies) > 15
    plain = {"string", "integer", "boolean"}
    for name, field, described in fields(document):
        if name in bodies and described.get("type") in plain and "default" not in described:
            assert described.get("examples") or "enum" in described or "const" in described or "token" in field, (
                f"{name}.{field}"
            )


def test_every_example_fits_its_own_field(document):
    import jsonschema_rs

    # The document is read once, not once per field: compiling it whole takes 20 ms.
    registry = jsonschema_rs.Registry([("urn:kangle", document)], draft=jsonschema_rs.Draft202012)
    tried = 0
    for name, field, described in fields(document):
        examples = described.get("examples", ())
        if not examples:
            continue
        place = f"urn:kangle#/components/schemas/{name}/properties/{field}"
        validator = jsonschema_rs.Draft202012Validator({"$ref": place}, registry=registry)
        for example in examples:
            error = next(iter(validator.iter_errors(example)), None)
            assert error is None or not example, f"{name}.{field}: {error}"
            tried += 1
    assert tried > 100


UNIT = re.compile(r"(_fen|_mg|_g|_j|_ns|_ms|_pct|_m|_s|_w|_wh|_a|_c|_min|_h|_km|_kg|_ma|_nm|_rpm|_bpm|_kcal|_mmhg)$")
#: Numbers that are counts, ids or bounds without a unit; ``fen``, ``grams`` and ``p`` are their own unit.
UNITLESS = {
    "age", "allocation", "amount", "annunciations", "asked", "bound", "confirmed_plates", "count", "days", "dead",
    "dead_bound", "dropped", "dropped_notices", "epoch", "epsilon", "events", "fen", "fill_epoch", "frames", "grams",
    "hidden", "hours", "incomplete_passes", "line_no", "line_nos", "minutes", "miss_bound", "noise_bytes", "on",
    "operators",
    "orders", "p", "passes", "peak_hour", "per_hour_per_operator", "per_minute", "plates", "plates_sold", "queue",
    "reads", "refused", "seen", "seq", "sessions", "set_aside", "singletons", "sold", "sold_epoch", "standing",
    "last_quality", "last_value", "sealed_seq", "series", "tail_samples", "through_seq", "bytes",
    "active_min_today", "birth_year", "bpm", "busy", "current_index", "distance_km_today", "free", "hour", "lap",
    "laps_today", "ms", "out", "place", "readings", "reps", "seconds",
    "resistance_level", "sets", "starts", "strokes", "turned_away", "uses",
    "defects", "height_px", "inspection", "inspection_photo", "size_bytes", "uses_today", "width_px",
    "machines", "members", "no_shows", "no_shows_today", "waiting", "waits", "warm", "workouts", "workouts_today",
    "status", "step_no", "timeouts", "tray_version", "unacknowledged", "unbound", "unknown", "version",
}  # fmt: skip


def test_every_number_has_its_unit_in_its_name(document):
    for name, field, described in fields(document):
        kinds = {described.get("type"), *(part.get("type") for part in described.get("anyOf", ()))}
        if kinds & {"integer", "number"}:
            assert UNIT.search(field) or field in UNITLESS, f"{name}.{field}"


def test_the_views_are_described_for_the_pages(document):
    schemas = document["components"]["schemas"]
    for name in (
        "LaneView",
        "MenuView",
        "DayView",
        "DeviceView",
        "ViewEvent",
        "GoneEvent",
        "PulseEvent",
        "Order",
        "Quote",
        "PaidView",
    ):
        assert schemas[name]["required"] == list(schemas[name]["properties"]), name
    assert schemas["Phase"]["enum"] == ["ask", "blocked", "empty", "firm", "offline", "paid", "reading"]


def test_every_reference_leads_somewhere(document):
    for ref in set(re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', COMMITTED.read_text())):
        assert ref[1] in document["components"][ref[0]], ref


def test_the_codes_are_listed(document):
    assert document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == sorted(TEXTS)
