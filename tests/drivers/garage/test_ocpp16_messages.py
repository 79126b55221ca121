"""OCPP messages: the published ones, leniency, and what no text may do."""

import io
import json
import random
from importlib.resources import files
from pathlib import Path

import pytest

from drivers.decoding import main
from drivers.ocpp16.actions import ACTIONS
from drivers.ocpp16.frames import Call, CallError, CallResult, Refusal, encode, parse
from drivers.ocpp16.meter import measured

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = [json.loads(line) for line in (FOLDER / "ocpp16.jsonl").read_text(encoding="utf-8").splitlines()]


def decoded(text, *options):
    out, err = io.StringIO(), io.StringIO()
    assert main("ocpp16", options, io.BytesIO(text.encode("utf-8", "surrogatepass") + b"\n"), out, err) == 0
    (line,) = out.getvalue().splitlines()
    return json.loads(line)


def kinds(text, *options):
    return [error["kind"] for error in decoded(text, *options)["errors"]]


@pytest.mark.parametrize("vector", VECTORS, ids=range(1, 1 + len(VECTORS)))
def test_published_messages(vector):
    told = decoded(
        vector["input"], *(word for name, value in vector["options"].items() for word in (f"--{name}", value))
    )
    expect = vector["expect"]
    assert len(told["frames"]) == len(expect["frames"])
    for frame, wanted in zip(told["frames"], expect["frames"], strict=True):
        assert {key: frame.get(key) for key in wanted} == wanted
    for wanted in expect.get("errors", []):
        assert wanted["kind"] in [error["kind"] for error in told["errors"]]
    assert told["pending_bytes"] == 0


def test_the_actions_are_those_of_the_library():
    names = {path.name.removesuffix(".json") for path in files("ocpp.v16").joinpath("schemas").iterdir()}
    assert set(ACTIONS) == {name for name in names if not name.endswith("Response") and not name.startswith("__")}
    assert all(f"{action}Response" in names for action in ACTIONS)


def test_the_specifications_own_boot_reply_is_refused_only_when_it_is_to_be_checked():
    text = '[3,"19223201",{"status":"Accepted","currentTime":"2013-02-01T20:53:32.486Z","heartbeatInterval":300}]'
    assert decoded(text)["frames"][0]["accepted"] is True
    assert kinds(text, "--result-of", "BootNotification") == ["missing_value"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "bad_message"),
        ("nonsense", "bad_message"),
        ("{}", "bad_message"),
        ("[5,1]", "bad_message"),
        ('[2,"1","Heartbeat"]', "bad_message"),
        ('[true,"1","Heartbeat",{}]', "bad_message"),
        ('[2,"1","MagicSpell",{}]', "bad_message"),
        ('[2,"1","../../../etc/passwd",{}]', "bad_message"),
        ('[2,"1","Heartbeat",[]]', "bad_payload"),
        ('[2,1,"Heartbeat",{}]', "bad_value"),
        ('[2,"' + 37 * "x" + '","Heartbeat",{}]', "bad_value"),
        ('[2,"1","Heartbeat",{"x":1}]', "bad_value"),
        ('[2,"1","Authorize",{}]', "missing_value"),
        ('[2,"1","Authorize",{"idTag":7}]', "bad_value"),
        ('[2,"1","Authorize",{"idTag":"' + 21 * "x" + '"}]', "bad_value"),
        ('[2,"1","Reset",{"type":"Warm"}]', "bad_value"),
        ('[2,"1","Authorize",{"idTag":"a","idTag":"b"}]', "bad_message"),
        ('[3,"1",{"x":NaN}]', "bad_message"),
        ('[3,"1",{"x":1e999}]', "bad_message"),
        ('[3,"1",' + 40 * '{"x":' + "1" + 40 * "}" + "]", "bad_payload"),
        ('[4,"1","NoSuchCode","",{}]', "bad_value"),
        ('[4,"1","GenericError"]', "bad_message"),
        ("[" * 100_000, "bad_message"),
    ],
)
def test_refused(text, kind):
    told = decoded(text)
    assert told["frames"] == []
    assert [error["kind"] for error in told["errors"]] == [kind]
    assert "alarm" not in told["errors"][0]


def status(**fields):
    return json.dumps([2, "1", "StatusNotification", fields])


@pytest.mark.parametrize(
    "text",
    [
        status(connectorId=1, errorCode="E-0815", status="Faulted"),
        status(connectorId=1, status="Faulted"),
        status(connectorId="1", errorCode="NoError", status="Faulted"),
        status(connectorId=1, errorCode="NoError", status="Faulted", wrong=True),
        status(connectorId=1, errorCode="NoError", status="Faulted", timestamp="yesterday"),
        status(connectorId=1, errorCode="NoError", status="faulted"),
        '[2,"1","StatusNotification",{"connectorId":1,"status":"Available","status":"Faulted","errorCode":"NoError"}]',
        '[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Faulted"',
        '[2,1,"StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Faulted"}]',
    ],
)
def test_a_refused_message_that_says_faulted_says_so(text):
    told = decoded(text)
    assert told["frames"] == []
    assert [error.get("alarm") for error in told["errors"]] == ["fault"]


def test_faulted_is_a_fault_whatever_the_error_code():
    told = decoded(status(connectorId=2, errorCode="NoError", status="Faulted"))
    assert told["frames"][0]["alarm_state_name"] == "fault"
    assert (
        "alarm_state_name" not in decoded(status(connectorId=2, errorCode="NoError", status="Available"))["frames"][0]
    )


@pytest.mark.parametrize("unit", ["Celcius", "Celsius"])
@pytest.mark.parametrize("time", ["2020-01-01T00:00:00", "2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:00+08:00"])
def test_units_and_times_of_the_field(unit, time):
    samples = [
        {"value": "41.5", "measurand": "Temperature", "unit": unit},
        {"value": "50", "measurand": "Frequency", "unit": "Hertz"},
    ]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": time, "sampledValue": samples}]}
    (frame,) = decoded(json.dumps([2, "1", "MeterValues", payload]))["frames"]
    assert (frame["temperature_c"], frame["frequency_hz"]) == (41.5, 50)


def values(*samples):
    return [{"timestamp": "2020-01-01T00:00:00Z", "sampledValue": list(samples)}]


def test_numbers_totals_and_phases():
    told = measured(
        values(
            {"value": "1.5", "measurand": "Power.Active.Import", "unit": "kW", "phase": "L1"},
            {"value": "500", "measurand": "Power.Active.Import", "unit": "W", "phase": "L2"},
            {"value": "6", "measurand": "Current.Import", "phase": "L1"},
            {"value": "7", "measurand": "Current.Import", "phase": "L2"},
            {"value": "230", "measurand": "Voltage"},
            {"value": "231", "measurand": "Voltage", "phase": "L1-N"},
            {"value": "12.5", "unit": "kWh"},
            {"value": "300.15", "measurand": "Temperature", "unit": "K"},
        )
    )
    assert (told.power_w, told.current_a, told.voltage_v, told.energy_wh) == (2000, 7, 230, 12_500)
    assert told.temperature_c == pytest.approx(27)
    assert measured(values({"value": "nan"}, {"value": "?"}, {"value": "1e308", "unit": "kWh"})).energy_wh is None
    assert measured([*values({"value": "1"}), *values({"value": "2"})]).energy_wh == 2
    assert measured("nonsense") == measured([{"sampledValue": 3}]) == measured([])


def test_a_limit_with_one_decimal_is_no_rounding_trap():
    for tenths in range(1, 400):
        profile = {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": tenths / 10}],
            },
        }
        text = json.dumps([2, "1", "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}])
        assert isinstance(parse(text.encode()), Call)


@pytest.mark.parametrize(
    "message", [Call("a", "Heartbeat", {}), CallResult("b", {"x": "中"}), CallError("c", "GenericError", "why", {})]
)
def test_what_we_send_can_be_read(message):
    assert parse(encode(message)) == message


def test_mutated_messages_never_raise_and_stay_strict_json():
    rng = random.Random(16)
    originals = [vector["input"] for vector in VECTORS] + [status(connectorId=1, errorCode="NoError", status="Faulted")]
    accepted = refused = 0
    for _ in range(3_000):
        text = list(rng.choice(originals))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text) or 1)
            match rng.randrange(4):
                case 0:
                    text[at : at + 1] = rng.choice('[]{}",:0123456789eE-.nulltrue\\\ud800 中')
                case 1:
                    del text[at : at + rng.randint(1, 5)]
                case 2:
                    text[at:at] = text[at : at + rng.randint(1, 30)]
                case _:
                    text[at:at] = rng.choice(["NaN", "1e999", "null", '"status":"Faulted"', "[" * 50])
        told = decoded("".join(text).replace("\n", ""))
        assert len(told["frames"]) + len(told["errors"]) == 1
        accepted += len(told["frames"])
        refused += len(told["errors"])
    assert accepted > 30
    assert refused > 1000


def test_bytes_that_are_no_text():
    assert isinstance(parse(b"\xff\xfe"), Refusal)
