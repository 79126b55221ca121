"""Generated requests against the committed description: nothing undocumented, no 5xx, no schema broken, no bad input
accepted, no good input refused (but for what the description cannot say)."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from types import SimpleNamespace

import jsonschema_rs
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings

from edge.api.routers import history
from edge.domain.actors import Role

DOCUMENT = json.loads((Path(__file__).parents[2] / "edge" / "api" / "openapi.json").read_bytes())
LABELS = [f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item]
#: test_live.py: its answer never ends.
ENDLESS = "GET /api/v1/live"
#: Random requests: more where a body can be odd in many ways than where an id is all that varies. What is wrong is
#: asked by construction, each way of each part (``test_each_kind_...``); here is what nobody thought of: odd values
#: that must be taken, and bodies that are no JSON or wrong in several ways at once.
WITH_BODY, WITHOUT_BODY, WRONG = 6, 4, 3
FULL_TIMES = 100
#: Refusals that depend on more than the schema can say, by code: the right answer to some input that fits it.
SEMANTIC = {
    "weak_pin",
    "weak_password",
    "bad_binding",
    "bad_cursor",
    "too_much",
    "bad_value",
    "no_person",
    "not_waiting",
    "not_now",
    "photo_not_jpeg",
}
#: Operations of which nothing can vary but the login: one request tells all.
BARE = {
    f"{method.upper()} {path}"
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if not operation.get("parameters") and "requestBody" not in operation
}
BODIED = {
    f"{method.upper()} {path}"
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if "requestBody" in operation
}


@functools.cache
def described():
    """The description as Schemathesis reads it, whose import and reading take more than half a second: for the one
    process that runs these tests, not for each that collects them."""
    import schemathesis

    schema = schemathesis.openapi.from_dict(DOCUMENT)
    operations = {operation.ok().label: operation.ok() for operation in schema.get_all_operations()}
    return SimpleNamespace(schema=schema, operations=operations, mode=schemathesis.GenerationMode)


def checks_named(*names):
    from schemathesis.checks import CHECKS

    return [check for check in CHECKS.get_all() if check.__name__ in names]


@pytest.fixture(scope="module")
def fuzzed(api_type, memory_folder):
    """One API with built pages; the caller is an administrator by a token (whose id no request can guess)."""
    folder = memory_folder()
    (folder / "dist").mkdir()
    (folder / "dist" / "index.html").write_text("<!doctype html>")
    api = api_type(folder)
    api.admin = api.bearer(Role.ADMIN)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(history, "CSV_ROWS_MAX", 20_000)  # two pages: a million lines a case would take an hour
        yield api
    api.close()


def send(api, case):
    """The request exactly as it was generated."""
    from schemathesis.core.transport import Response

    options = case.as_transport_kwargs(base_url="http://127.0.0.1", headers=api.admin)
    made = requests.PreparedRequest()
    made.prepare_method(options["method"])
    made.prepare_url(options["url"], options.get("params"))
    made.prepare_headers(options.get("headers"))
    made.prepare_body(options.get("data"), options.get("files"), options.get("json"))
    headers = [(name.encode(), value if isinstance(value, bytes) else value.encode("latin-1"))
               for name, value in made.headers.items()]  # fmt: skip
    headers.append((b"host", b"127.0.0.1"))
    body = made.body.encode() if isinstance(made.body, str) else made.body
    parts = None if body is None else one_part(body)
    status, answered, content = api.run(api.ask(made.method, made.path_url.encode("ascii"), headers, parts))
    return Response(
        status_code=status,
        headers={name.decode("latin-1"): [value.decode("latin-1")] for name, value in answered},
        content=content,
        request=made,
        elapsed=0.0,
        verify=True,
    )


async def one_part(body):
    yield body


def judge(api, case):
    answer = send(api, case)
    case.validate_response(answer, excluded_checks=excluded_for(answer))


def excluded_for(answer):
    """``ignored_auth`` asks again by itself: test_roles.py does that for every route."""
    names = {"ignored_auth"}
    if answer.status_code in {400, 422} and answer.json()["code"] in SEMANTIC:
        names.add("positive_data_acceptance")
    return checks_named(*names)


def test_each_operation_is_asked():
    assert list(described().operations) == LABELS


def cases():
    for label in LABELS:
        if label != ENDLESS:
            yield from ((label, mode) for mode in ("positive",) + ("negative",) * (label in BODIED))


@pytest.mark.parametrize("label", [label for label in LABELS if label != ENDLESS])
def test_each_kind_of_request_is_answered_as_described(fuzzed, label):
    """Each bound of each part kept and broken by one, each type wrong, each field missing and one too many, each method
    that is not there: by construction, so that no luck is needed."""
    schema, operation = described().schema, described().operations[label]
    count = 0
    for case in schema.iter_coverage_cases(
        operation,
        generation_modes=list(described().mode),
        generation_config=schema.config.generation_for(operation=operation),
    ):
        judge(fuzzed, case)
        count += 1
    assert count > (20 if label in BODIED else 0)


@pytest.mark.parametrize(("label", "mode"), list(cases()))
def test_behaviour_is_as_described(fuzzed, label, mode, pytestconfig):
    many = WRONG if mode == "negative" else WITH_BODY if label in BODIED else WITHOUT_BODY
    many *= FULL_TIMES if pytestconfig.getoption("--full") else 1

    @given(case=described().operations[label].as_strategy(generation_mode=described().mode(mode)))
    @settings(
        max_examples=1 if label in BARE else many,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case):
        judge(fuzzed, case)

    run()


VALUES = {"lane": "1", "member": "m001", "order_id": "o-0001", "zone": "B1", "port": "B1-P03",
          "asset": "tm-1", "workout": "tm-1-53", "person": "m001", "order": "tm-1-53", "form": "csv"}  # fmt: skip
READS = sorted(
    path
    for path, item in DOCUMENT["paths"].items()
    if "application/json" in item.get("get", {"responses": {"200": {}}})["responses"]["200"].get("content", {})
    and not any(one["in"] == "query" and one.get("required") for one in item["get"].get("parameters", ()))
    and not path.endswith("/live")
)


@pytest.mark.parametrize("path", READS)
def test_what_exists_is_answered_as_described(fuzzed, path):
    """Generated ids rarely exist; these do."""
    answer = fuzzed.get(path.format(**VALUES), headers=fuzzed.admin)
    assert answer.status_code == 200, answer.text
    described = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    validator = jsonschema_rs.validator_for({**described, "components": DOCUMENT["components"]})
    assert [str(error) for error in validator.iter_errors(answer.json())] == []
    assert json.dumps(answer.json()) != "{}"


def test_a_quote_of_known_dishes_is_answered_as_described(fuzzed):
    body = {
        "category": "guest",
        "at": "2026-11-20T11:40",
        "items": [{"dish_id": "d001"}, {"dish_id": "d003", "grams": 100}],
    }
    answer = fuzzed.post("/api/v1/canteen/quotes", body, headers=fuzzed.admin)
    quote = answer.json()
    schema = {"$ref": "#/components/schemas/Quote", "components": DOCUMENT["components"]}
    assert [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(quote)] == []
    assert quote["list_fen"] == 1300
    assert sum(step["fen"] for step in quote["steps"]) == quote["payable_fen"]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"category": "nobody"}, "unknown_category"), ({"items": [{"dish_id": "d999"}]}, "unknown_dish")],
)
def test_a_quote_of_unknown_things_says_which(fuzzed, change, code):
    body = {"category": "guest", "items": [{"dish_id": "d001"}], **change}
    answer = fuzzed.post("/api/v1/canteen/quotes", body, headers=fuzzed.admin)
    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert fuzzed.gateway.submitted == [] or all(
        "quote" not in type(command.body).__name__.lower() for command in fuzzed.gateway.submitted
    )
