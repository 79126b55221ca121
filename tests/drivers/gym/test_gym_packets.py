"""Packets of Bluetooth and ANT: round trips through the simulators' own encoders, cuts, surplus, and the corners of the
decode contract that the published vectors do not reach."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.buffer import Refusal
from drivers.decoding import decode_line, find_entry, parse_options, to_json
from drivers.ftms.frames import parse
from drivers.ftms.layout import LAYOUTS
from drivers.health.frames import sfloat
from firmware_sim.ant_fec.stick import message
from firmware_sim.ftms.records import BITS, encode, flag_bytes
from firmware_sim.health.hut import sfloat as encode_sfloat

NAMES = {
    "speed": "speed_km_h",
    "avg_speed": "average_speed_km_h",
    "distance": "distance_m",
    "kcal": "energy_kcal",
    "kcal_h": "energy_per_hour_kcal",
    "kcal_min": "energy_per_minute_kcal",
    "hr": "heart_rate_bpm",
    "met": "met",
    "elapsed": "elapsed_s",
    "remaining": "remaining_s",
    "incline": "incline_pct",
    "ramp": "ramp_angle_deg",
    "gain": "elevation_gain_m",
    "loss": "elevation_loss_m",
    "force": "belt_force_n",
    "power": "power_w",
    "steps": "step_count",
    "rate": "step_rate_spm",
    "avg_rate": "average_step_rate_spm",
    "strides": "stride_count",
    "resistance": "resistance_level_raw",
    "avg_power": "average_power_w",
    "floors": "floor_count",
    "stroke_rate": "stroke_rate_spm",
    "avg_stroke_rate": "average_stroke_rate_spm",
    "strokes": "stroke_count",
    "pace": "pace_s_per_500m",
    "avg_pace": "average_pace_s_per_500m",
    "cadence": "cadence_rpm",
    "avg_cadence": "average_cadence_rpm",
}


def decode(protocol, line, **options):
    entry = find_entry(protocol)
    words = [word for name, value in options.items() for word in (f"--{name.strip('_')}", value)]
    return json.loads(to_json(decode_line(entry, line.encode(), parse_options(entry.decode_options, words))))


def one(protocol, line, **options):
    told = decode(protocol, line, **options)
    assert told["errors"] == []
    (frame,) = told["frames"]
    return frame


def error(protocol, line, **options):
    told = decode(protocol, line, **options)
    assert told["frames"] == []
    return [each["kind"] for each in told["errors"]]


# --- FTMS records -----------------------------------------------------------------------------------------------------


@st.composite
def records(draw):
    """Characteristic, values by the simulator's names, and which group each belongs to."""
    char = draw(st.sampled_from(sorted(BITS)))
    values = {}
    for parts in BITS[char].values():
        if not draw(st.booleans()):
            continue
        for name, size, per_one in parts:
            top = min((1 << 8 * size - 1) - 2, 0x7FFE)
            raw = draw(st.integers(1, min(top, 254) if size == 1 else top))
            values[name] = raw / per_one
    return char, values


@given(records())
def test_what_a_machine_encodes_is_read_back(drawn):
    char, values = drawn
    record = parse(char, encode(char, values))
    assert not isinstance(record, Refusal)
    assert record.values == {NAMES[name]: pytest.approx(value) for name, value in values.items()}
    assert (record.truncated, record.trailing_bytes) == (False, 0)


@given(records(), st.integers(0, 60))
def test_a_cut_record_keeps_whole_numbers_and_never_shifts(drawn, cut):
    char, values = drawn
    wire = encode(char, values)
    head = wire[: min(cut, len(wire))]
    record = parse(char, head)
    if len(head) < flag_bytes(char):
        assert isinstance(record, Refusal)
        return
    whole = parse(char, wire)
    if not record.truncated:  # the narrow edition of resistance may make a cut packet fit by its last byte
        assert len(head) >= len(wire) - 1
        return
    assert record.values == dict(list(whole.values.items())[: len(record.values)])
    assert len(head) < len(wire)
    assert record.trailing_bytes == 0


@given(records(), st.binary(min_size=1, max_size=9))
def test_surplus_is_counted_and_shifts_nothing(drawn, surplus):
    char, values = drawn
    record = parse(char, encode(char, values) + surplus)
    assert (record.trailing_bytes, record.truncated) == (len(surplus), False)
    assert record.values == parse(char, encode(char, values)).values


@given(st.sampled_from(sorted(LAYOUTS)), st.binary(max_size=40), st.sampled_from(["", "life_fitness"]))
def test_any_bytes_are_a_record_or_refused(char, data, profile):
    record = parse(char, data, profile)
    assert isinstance(record, Refusal) == (len(data) < LAYOUTS[char].flag_bytes)


def test_parts_with_more_data_end_in_a_merged_record():
    told = decode("ftms", "11 00 04 01 00 | 00 00 83 06", char="2ad2")["frames"]
    assert [frame["more_data"] for frame in told] == [True, False]
    assert [frame["merged"] for frame in told] == [False, True]
    assert (told[1]["distance_m"], told[1]["speed_km_h"]) == (260, 16.67)
    assert "distance_m" not in decode("ftms", "0000 8306|1100 040100", char="2ad2")["frames"][0]


def test_a_damaged_part_ends_the_record():
    told = decode("ftms", "1100040100|00|00008306", char="2ad2")
    assert [error["kind"] for error in told["errors"]] == ["too_short"]
    assert [frame["merged"] for frame in told["frames"]] == [False, False]


@pytest.mark.parametrize(
    ("wire", "pace"),
    [("2000 e803 7800", 120), ("2000 e803 0f", 20), ("2000 e803 00", None), ("2000 e803 7800 aa", 120)],
)
def test_treadmill_pace_of_both_editions(wire, pace):
    assert one("ftms", wire, char="2acd").get("pace_s_per_500m") == pace


@pytest.mark.parametrize(("wire", "raw"), [("2100 f6ff", -10), ("2100 0d", 13), ("2100 0d00", 13)])
def test_resistance_of_both_editions(wire, raw):
    assert one("ftms", wire, char="2ad2")["resistance_level_raw"] == raw


def test_the_unannounced_cadence_needs_the_profile():
    wire = "fa092d09f208740077006500000d00660061000200ffffff1100"
    assert one("ftms", wire, char="2ad2", profile="life_fitness")["cadence_rpm"] == 58.0
    assert one("ftms", wire, char="2ad2")["trailing_bytes"] == 2


def test_reserved_bits_and_absent_markers():
    assert one("ftms", "0120 0b0000", char="2acd")["step_count"] == 11
    assert one("ftms", "01c0 ", char="2acd")["truncated"] is False
    frame = one("ftms", "19 10 ff7f ff7f ffff ff7f ff7f ff7f", char="2acd")
    names = ("incline_pct", "ramp_angle_deg", "elevation_gain_m", "elevation_loss_m", "belt_force_n", "power_w")
    assert [frame[name] for name in names] == [None] * 6
    assert one("ftms", "018000", char="2ace")["direction_name"] == "backward"


@pytest.mark.parametrize(
    ("char", "wire", "expected"),
    [
        ("2ad9", "02e803", {"opcode_name": "set_target_speed", "target_speed_km_h": 10.0}),
        ("2ad9", "03f6ff", {"target_incline_pct": -1.0}),
        ("2ad9", "0432", {"target_resistance_level": 5.0}),
        ("2ad9", "043200", {"target_resistance_level": 5.0}),
        ("2ad9", "0802", {"param_name": "pause"}),
        ("2ad9", "0803", {"param_name": None}),
        (
            "2ad9",
            "11e80364002833",
            {"wind_speed_km_h": 3.6, "grade_pct": 1.0, "crr": 0.004, "wind_resistance_kg_m": 0.51},
        ),
        ("2ad9", "12d051", {"circumference_mm": 2094.4}),
        ("2ad9", "0a1000", {"opcode": 10, "opcode_name": None}),
        ("2ada", "0202", {"event_name": "stopped_or_paused_by_user", "param_name": "pause"}),
        ("2ada", "03", {"event_name": "stopped_by_safety_key"}),
        ("2ada", "ff", {"event": 255, "event_name": "control_permission_lost"}),
        ("2ad3", "000d", {"training_status": 13}),
        ("2ad4", "3200d0073200", {"minimum_speed_km_h": 0.5, "maximum_speed_km_h": 20.0, "step_speed_km_h": 0.5}),
        ("2ad5", "e2ff96000500", {"minimum_incline_pct": -3.0, "maximum_incline_pct": 15.0, "step_incline_pct": 0.5}),
        ("2ad6", "0a00c8000a00", {"minimum_level": 1.0, "maximum_level": 20.0, "step_level": 1.0}),
        ("2ad7", "3cb401", {"minimum_heart_rate_bpm": 60, "maximum_heart_rate_bpm": 180}),
        ("2ad8", "0000e8030100", {"maximum_power_w": 1000, "step_power_w": 1}),
    ],
)
def test_short_messages(char, wire, expected):
    frame = one("ftms", wire, char=char, from_="host")
    assert {name: frame.get(name) for name in expected} == {
        name: pytest.approx(each) for name, each in expected.items()
    }


@pytest.mark.parametrize(
    ("char", "wire", "kind"),
    [
        *(("2ad9", "02e8", "too_short"), ("2ad9", "02e80300", "trailing_bytes"), ("2ad9", "", "too_short")),
        *(("2ad9", "0001", "trailing_bytes"), ("2ada", "03aa", "trailing_bytes"), ("2ada", "05", "too_short")),
        *(("2ad4", "3200d007", "too_short"), ("2ad7", "3cb40102", "trailing_bytes"), ("2ad3", "00", "too_short")),
    ],
)
def test_short_messages_are_whole_or_refused(char, wire, kind):
    assert error("ftms", wire, char=char, from_="host") == [kind]


@pytest.mark.parametrize("wire", ["8000", "000001", "80000100"])
def test_answers_of_the_control_point_are_whole(wire):
    assert decode("ftms", wire, char="2ad9")["frames"] == []


# --- heart rate, health -----------------------------------------------------------------------------------------------


def test_heart_rate_corners():
    assert one("heart_rate", "0600")["heart_rate_bpm"] is None
    assert one("heart_rate", "0250")["contact_name"] == "not_supported", "the contact bit without its supporting bit"
    assert one("heart_rate", "10500000000400")["rr_intervals_ms"] == [1000.0], "zeros are dropped, a tail is left"
    assert one("heart_rate", "10500000000400")["trailing_bytes"] == 1
    assert one("heart_rate", "185001")["truncated"] is True
    assert one("heart_rate", "e050")["heart_rate_bpm"] == 80
    assert decode("heart_rate", "0050|0051")["frames"][1]["heart_rate_bpm"] == 81


@given(st.integers(-2045, 2045), st.integers(0, 7))
def test_sfloat_is_what_the_cuff_meant(mantissa, digits):
    value = mantissa / 10**digits
    assert sfloat(int.from_bytes(encode_sfloat(value, digits), "little")) == pytest.approx(value)


@pytest.mark.parametrize("raw", [0x07FF, 0x0800, 0x07FE, 0x0802, 0x0801])
def test_sfloat_special_values_are_no_numbers(raw):
    assert sfloat(raw) is None


def test_blood_pressure_in_kpa_and_the_plausible_range():
    frame = one("health", "01 a0f0 6bf0 78f0")
    assert (frame["unit_name"], frame["systolic_kpa"], frame["plausible"]) == ("kpa", 16.0, True)
    assert one("health", "00 2d01 5000 5a00")["plausible"] is False
    assert one("health", "00 2c01 5000 5a00")["plausible"] is True
    assert one("health", "00 ff07 ff07 ff07")["systolic_mmhg"] is None
    assert error("health", "1e8a00580078000000041114293b3c000127") == ["too_short"]


def test_the_time_is_told_only_when_it_exists():
    record = "02 7800 5000 5a00 ea07 {} 0a 1e 00"
    assert one("health", record.format("0b 16"))["time"] == "2026-11-22T10:30:00"
    assert one("health", record.format("02 1e"))["time"] is None
    assert one("health", record.format("0b 00"))["time_parts"]["day"] is None
    assert one("health", record.format("0b 00"))["time"] is None


def test_weights():
    assert one("health", "00ffff", char="2a9d")["weight_kg"] is None
    assert one("health", "01983a", char="2a9d")["weight_lb"] == 150.0
    frame = one("health", "09 983a e600 8402", char="2a9d")
    assert (frame["bmi"], frame["height_m"]) == (23.0, pytest.approx(64.4 * 0.0254))
    assert one("health", "0401 00ff", char="2a9d")["user_id"] is None
    assert error("health", "0888 13e6 00", char="2a9d") == ["too_short"]


# --- ANT pages --------------------------------------------------------------------------------------------------------


def test_counters_of_general_pages_roll_over():
    first, second = decode("ant_fec", "1016fef0100eff34|101604041 00eff34".replace(" ", ""))["frames"]
    assert "delta_elapsed_s" not in first
    assert (second["delta_elapsed_s"], second["delta_distance_m"]) == (1.5, 20)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("11ffff1e38ffc833", {"cycle_length_m": 0.3, "incline_pct": -2.0, "resistance_pct": 100.0}),
        ("11ffffffff7fff30", {"cycle_length_m": None, "incline_pct": None, "resistance_pct": None}),
        ("12fff4011027c831", {"met": 5.0, "energy_per_hour_kcal": 1000.0, "energy_kcal": 200}),
        ("12fff4011027c830", {"energy_kcal": None}),
        ("14ff0a201e640033", {"stride_count": 32, "stride_rate_spm": 30, "power_w": 100, "elevation_gain_m": 1.0}),
        ("1902 5a 10 27 2c 51 32", {"event_count": 2, "cadence_rpm": 90, "power_w": 300, "trainer_status": 5}),
        ("1902ffffffffff32", {"cadence_rpm": None, "power_w": None, "accumulated_power_w": None, "target_limits": 2}),
        ("36000000006400 07", {"maximum_resistance_n": 100, "mode_mask": 7}),
        ("4733050102030405", {"last_command": 51, "sequence": 5, "status_name": "fail", "data_hex": "02030405"}),
        ("47ffffffffffffff", {"last_command": None, "status_name": "uninitialised"}),
        ("50ffff0f01000200", {"hardware_revision": 15, "manufacturer_id": 1, "model_number": 2}),
        ("51ffff0e31d40000", {"software_revision": 14, "serial_number": 54321}),
        ("10130000ffffffa0", {"speed_km_h": None, "heart_rate_bpm": None, "lap_toggle": 1, "state_name": "ready"}),
        ("1013000000000070", {"state_name": None}),
    ],
)
def test_pages(page, expected):
    frame = one("ant_fec", page)
    assert {name: frame.get(name) for name in expected} == {
        name: pytest.approx(each) for name, each in expected.items()
    }


@pytest.mark.parametrize("protocol", ["ftms", "heart_rate", "health", "ant_fec"])
def test_half_a_byte_anywhere_spoils_the_session(protocol):
    assert error(protocol, "0000|000|0000") == ["bad_input"]
    assert error(protocol, "0000|zz") == ["bad_input"]


def test_a_serial_stream_of_pages():
    wire = message(0x4E, bytes.fromhex("011016281f100eff34")).hex()
    frame = one("ant_fec", wire, layer="serial")
    assert (frame["channel"], frame["page_data"]["distance_m"], frame["message_name"]) == (1, 31, "broadcast_data")
