"""The commands over a site: config, quote, user, decode, check; words, data and exit status."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing
from datetime import date

import pytest

from edge.api.account_types import AccountProblem
from edge.api.accounts import Accounts
from edge.cli_check import Check, run_check, run_checks
from edge.cli_quote import parse_dish, parse_when
from edge.site import load_site

TEN_MISTAKES = [
    ('site_id = "kangle-example"', 'site_id = ""', "site_id"),
    ("port = 8600", "port = 86000", "port"),
    ('host = "127.0.0.1"', 'host = "0.0.0.0"', "host"),
    ("[demo]", "[demo]\ncolour = 1", "colour"),
    ('protocol = "feig"', 'protocol = "feigg"', "feigg"),
    ("serial:///dev/serial/by-id/usb-1a86", "sereal:///dev/serial/by-id/usb-1a86", "sereal"),
    ('device = "reader-1"\nbeta', 'device = "reader-9"\nbeta', ""),
    ("refund_days = 7", 'refund_days = "seven"', "refund_days"),
    ("mean_plates = 3.5", "mean_plates = -1", "mean_plates"),
    ("epsilon = 1e-4", "epsilon = 2", "epsilon"),
    ("dead_chip_ppm = 1000", "dead_chip_pmm = 1000", "dead_chip_ppm"),
]


def test_the_example_site_is_right(command, example):
    ran = command("config", "check", "--site", str(example))
    assert (ran.status, ran.out) == (0, "")
    assert ran.err.endswith(": ok\n")


def test_ten_mistakes_are_told_at_once_and_status_is_3(command, site):
    path = site / "site.toml"
    text = path.read_text(encoding="utf-8")
    for right, wrong, _ in TEN_MISTAKES:
        text = text.replace(right, wrong, 1)
    path.write_text(text, encoding="utf-8")
    ran = command("config", "check", "--site", str(site))
    assert (ran.status, ran.out) == (3, "")
    assert "NOT usable" in ran.err
    assert int(ran.err.partition(" mistakes:")[0].rpartition("\n")[2]) >= 10
    for _, _, word in TEN_MISTAKES:
        assert word in ran.err
    as_json = command("config", "check", "--site", str(site), "--json")
    assert as_json.status == 3
    assert len(json.loads(as_json.out)["mistakes"]) >= 10
    started = command("run", "canteen", "--site", str(site))
    assert started.status == 3, "the service does not start on it either, and says the same"
    assert "epsilon" in started.err


def test_a_garage_that_would_not_arm_is_no_ok(command, site):
    zones = site / "garage" / "zones.toml"
    text = zones.read_text(encoding="utf-8").replace('kind = "contactor"', 'kind = "door"', 1)
    zones.write_text(text, encoding="utf-8")
    ran = command("config", "check", "--site", str(site))
    assert (ran.status, ran.out) == (3, "")
    assert "the garage will NOT ARM" in ran.err
    assert "has chargers and no contactor; a welded outlet could not be cut" in ran.err
    chinese = command("config", "check", "--site", str(site), "--lang", "zh")
    assert "时断不了电" in chinese.err
    assert chinese.err.rstrip().endswith("车库不会投入保护")
    as_json = command("config", "check", "--site", str(site), "--json")
    assert as_json.status == 3
    assert "not_armed" in {warning["code"] for warning in json.loads(as_json.out)["warnings"]}


@pytest.mark.parametrize(
    "words", [["config", "check"], ["config", "show"], ["up"], ["run", "api"], ["quote", "d001"]], ids=" ".join
)
def test_a_site_that_is_not_there(command, tmp_path, words):
    ran = command(*words, "--site", str(tmp_path / "nowhere"))
    assert (ran.status, ran.out) == (4, "")
    assert "nowhere" in ran.err
    assert "--site" in ran.err


def test_config_show_is_json_of_the_whole_site(command, example):
    ran = command("config", "show", "--site", str(example))
    shown = json.loads(ran.out)
    assert ran.status == 0
    assert len(shown["canteen"]["dishes"]) >= 48
    assert shown["site_id"] == "kangle-example"


def test_a_quote_adds_up_and_takes_grams(command, example):
    ran = command(
        "quote", "--site", str(example), "--diner", "xuhui-70", "--at", "2026-11-23T11:30", "d001", "d002:150"
    )
    receipt = json.loads(ran.out)
    assert (ran.status, ran.err) == (0, "")
    assert receipt["day"] == "2026-11-23"
    assert receipt["meal"] == "lunch"
    assert [line["dish_id"] for line in receipt["lines"]] == ["d001", "d002"]
    assert receipt["lines"][1]["grams"] == 150
    assert sum(line["payable_fen"] for line in receipt["lines"]) == receipt["payable_fen"]
    assert all(step["rule_id"] and step["rule_version"] for step in receipt["steps"])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["d999"], 1, "the site has no dish 'd999'; it has d001 to d048"),
        (["--diner", "nobody", "d001"], 1, "guest"),
        (["--at", "25:00", "d001"], 2, "25:00"),
        (["--at", "2026-02-30", "d001"], 2, "no such day"),
        (["d001:lots"], 2, "DISH:GRAMS"),
        (["d001:9999"], 2, "grams"),
        ([], 2, "DISH"),
    ],
)
def test_a_quote_that_cannot_be_given(command, example, words, status, said):
    ran = command("quote", "--site", str(example), *words)
    assert (ran.status, ran.out) == (status, "")
    assert said in ran.err


def test_words_of_a_quote():
    noon = 1_795_320_000 * 10**9  # 2026-11-22T12:00 in Shanghai
    assert parse_when("", noon, 480) == ("2026-11-22", 720)
    assert parse_when("17:05", noon, 480) == ("2026-11-22", 17 * 60 + 5)
    assert parse_when("2026-12-01", noon, 480) == ("2026-12-01", 720)
    assert parse_when("2026-12-01 00:00", noon, 480) == ("2026-12-01", 0)
    assert parse_dish("d001") == ("d001", None)
    assert parse_dish("d001:7") == ("d001", 7)


def test_users_links_and_tokens(command, site):
    at = ("--site", str(site))
    assert command("user", "add", "li", "--role", "admin", *at, stdin="correct horse battery\n").status == 0
    assert command("user", "add", "wang", "--role", "cashier", "--link-only", *at).status == 0
    listed = json.loads(command("user", "list", "--json", *at).out)
    assert {user["username"]: user["role"] for user in listed["users"]} == {"li": "admin", "wang": "cashier"}
    link = command("user", "link", "wang", *at)
    assert link.out.startswith("http://127.0.0.1:8600/login#link=")
    assert link.out.count("\n") == 1
    token = command("user", "token", "till 1", "--lane", "1", *at)
    assert token.out.startswith("http://127.0.0.1:8600/lane/1#terminal=")
    (known,) = json.loads(command("user", "list", "--json", *at).out)["tokens"]
    assert (known["lane"], known["role"]) == ("1", "diner-terminal")
    assert token.out.strip().partition("#terminal=")[2] not in command("user", "list", "--json", *at).out
    assert command("user", "revoke", known["id"], *at).status == 0
    given = command("user", "password", "wang", *at, stdin="another 9 donkey staple\n")
    assert (given.status, given.out) == (0, "")
    assert "wang has a new password" in given.err
    assert command("user", "remove", "wang", *at).status == 0
    assert command("user", "list", *at).out == "user   li                   admin\n"


def test_a_panel_is_bound_to_its_zone_and_a_person_gets_a_pin_there(command, site):
    at = ("--site", str(site))
    bound = command("user", "token", "wall B1", "--panel", "b1-east-panel", *at)
    assert bound.out.startswith("http://127.0.0.1:8600/garage/zone/b1-east#terminal=")
    listed = command("user", "list", *at).out
    (known,) = json.loads(command("user", "list", "--json", *at).out)["tokens"]
    assert (known["panel"], known["role"]) == ("b1-east-panel", "panel")
    until = time.strftime("%Y-%m-%d", time.gmtime(known["expires_ns"] // 10**9))
    assert f"b1-east-panel until {until}  wall B1" in listed, "an expired panel resets nothing: say when"
    assert command("user", "add", "zhao", "--role", "maintenance", "--link-only", *at).status == 0
    given = command("user", "pin", "zhao", *at, stdin="940518\n")
    assert (given.status, given.out) == (0, "")
    with closing(Accounts(load_site(site, date.today()).data_dir / "api.db")) as accounts:
        accounts.pins.check("zhao", "940518", "b1-east-panel")
        with pytest.raises(AccountProblem, match="bad_pin"):
            accounts.pins.check("zhao", "940519", "b1-east-panel")


@pytest.mark.parametrize(
    ("words", "stdin", "status", "said"),
    [
        (["pin", "nobody"], "940518\n", 1, "Unknown user"),
        (["pin", "wang"], "940518\n", 1, "wang is cashier"),
        (["pin", "zhao"], "123456\n", 1, "PIN too simple"),
        (["pin", "zhao"], "", 2, "no PIN on stdin"),
        (["token", "x", "--panel", "b9"], "", 2, "b1-east-panel, b1-west-panel, stair-3-panel"),
        (["token", "x", "--panel", "b1-east-panel", "--role", "cashier"], "", 1, "binding"),
    ],
)
def test_refusals_of_pins_and_panels_are_one_line(command, site, words, stdin, status, said):
    at = ("--site", str(site))
    for name, role in (("wang", "cashier"), ("zhao", "maintenance")):
        assert command("user", "add", name, "--role", role, "--link-only", *at).status == 0
    ran = command("user", *words, *at, stdin=stdin)
    assert (ran.status, ran.out) == (status, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["add", "li", "--role", "admin"], 2, "password"),
        (["add", "li", "--role", "boss", "--link-only"], 2, "admin"),
        (["add", "li", "--role", "member", "--link-only"], 1, ""),
        (["add", "Li Wang", "--role", "cashier", "--link-only"], 2, "a-z, 0-9"),
        (["add", "li\x1b[31m", "--role", "cashier", "--link-only"], 2, "a-z, 0-9"),
        (["add", "l" * 33, "--role", "cashier", "--link-only"], 2, "at most 32"),
        (["add", "li", "--role", "member", "--member", "m-nobody", "--link-only"], 2, "members.csv"),
        (["link", "nobody"], 1, "Unknown user"),
        (["token", "x", "--lane", "77"], 2, "1, 2"),
        (["revoke", "abc"], 1, "nknown"),
    ],
)
def test_refusals_of_accounts_are_one_line(command, site, words, status, said):
    ran = command("user", *words, "--site", str(site), stdin="short\n")
    assert (ran.status, ran.out) == (status, "")
    assert said.lower() in ran.err.lower()
    assert "Traceback" not in ran.err


def test_decode_as_a_person_types_it(kangle, tmp_path, root):
    vectors = [
        json.loads(line) for line in (root / "tests/vectors/feig.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    cases = [case for case in vectors if case["options"] == {"from": "device"}][:5]
    inputs = "".join(f"{case['input']}\n" for case in cases)
    ran = kangle("decode", "feig", stdin=f"{inputs}\nzz\n", cwd=tmp_path)
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.status, ran.err) == (0, "")
    assert len(lines) == len(cases) + 2
    assert lines[-2] == {"frames": [], "errors": [], "pending_bytes": 0}
    assert [error["kind"] for error in lines[-1]["errors"]] == ["bad_input"]
    assert any(line["frames"] for line in lines)


@pytest.mark.parametrize("words", [["dlt"], ["feig", "--from", "moon"], ["feig", "--to", "x"], []], ids=" ".join)
def test_decode_refuses_wrong_words_before_any_output(kangle, words):
    ran = kangle("decode", *words, stdin="00\n")
    assert (ran.status, ran.out) == (2, "")
    assert "feig" in ran.err or "host" in ran.err


@pytest.mark.parametrize("words", [["--help"], ["feig", "--help"], ["feig", "-h"]], ids=" ".join)
def test_decode_helps_wherever_help_is_asked_for(kangle, words):
    ran = kangle("decode", *words)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("Usage: kangle decode")


def test_a_reader_that_has_had_enough_is_no_error(root):
    script = f"(yes 0a 2>/dev/null | head -200000) | {sys.executable} {root}/kangle decode feig | head -1"
    ran = subprocess.run(["/bin/bash", "-c", f"set -o pipefail; {script}"], capture_output=True, text=True, check=False)
    assert ran.stdout.count("\n") == 1
    assert ran.stderr == ""


def test_a_check_that_fails_hangs_or_cannot_start_is_a_failure(monkeypatch):
    assert run_check(Check("good", ("/bin/true",))).ok
    bad = run_check(Check("bad", ("/bin/sh", "-c", "echo out; echo err >&2; exit 1")))
    assert not bad.ok
    assert bad.output == "out\nerr\n"
    assert "cannot start no-such-linter" in run_check(Check("none", ("no-such-linter",))).output
    monkeypatch.setattr("edge.cli_check.TIMEOUT_S", 0.1)
    assert not run_check(Check("slow", ("/bin/sleep", "600"))).ok


def test_all_checks_run_although_one_fails(capfd):
    results = run_checks([Check("bad", ("/bin/false",)), Check("good", ("/bin/true",))])
    assert [result.ok for result in results] == [False, True]
    told = capfd.readouterr().err
    assert "check bad      FAILED" in told
    assert "check good     ok" in told


def test_a_bench_that_does_not_exist_names_those_that_do(command):
    ran = command("bench", "nothing")
    assert (ran.status, ran.out) == (2, "")
    assert "there are:" in ran.err
