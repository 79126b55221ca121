"""The replay command: one JSON object, words, exit codes, and two fresh processes under two hash seeds."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.domain.digest import effect_digest, effects_digest
from edge.domain.kernel import Show, Stamp
from edge.runtime.replay import find_kernel, main, replay
from edge.storage.batch import LogRecord
from edge.storage.log import decode, encode

HERE = Path(__file__).parent
TOY = "replay_toy:KERNEL"

if "replay_toy" not in sys.modules:
    spec = importlib.util.spec_from_file_location("replay_toy", HERE / "replay_toy.py")
    sys.modules["replay_toy"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["replay_toy"])
toy = sys.modules["replay_toy"]


@pytest.fixture(scope="module")
def kept_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seqs 1-170: a start (1), inputs with a copy at 41, a raise at 82, inputs, a restart at 123, inputs."""
    draw = random.Random(4)
    directory = tmp_path_factory.mktemp("replay") / "store"
    shell = toy.Shell(directory)
    shell.feed(*toy.some(draw, 40), copy=True)
    shell.feed(*toy.some(draw, 40), toy.Crash(), *toy.some(draw, 40))
    shell = shell.restart()
    shell.feed(*toy.some(draw, 47))
    assert shell.seq == 170
    shell.store.close()
    return directory


@pytest.fixture
def log(kept_log: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(kept_log, tmp_path / "store"))


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))


def test_the_file_will_do_and_a_store_of_another_name_asks_whose_it_is(log: Path, capsys) -> None:
    assert main([str(log / "facts.db"), TOY, "--quiet"]) == 0
    assert main([str(log)]) == 2
    assert "store is named after no vertical: say whose it is, canteen or" in capsys.readouterr().err


def test_the_command_prints_one_json_object_and_words(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(log), TOY]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["inputs"] == 168
    assert "identical: every effect" in output.err
    assert main([str(log), "replay_toy:GENEROUS", "--quiet"]) == 1
    output = capsys.readouterr()
    assert json.loads(output.out)["first_difference"]["what"] == "effect"
    assert output.err == ""


def test_the_command_says_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), TOY]) == 4
    assert "start the daemon once" in capsys.readouterr().err
    assert main([str(tmp_path / "swimming")]) == 2
    assert "there is no facts.db in" in capsys.readouterr().err
    assert main([str(tmp_path), "swimming"]) == 2
    assert "no vertical 'swimming'; there are canteen" in capsys.readouterr().err
    assert main([str(tmp_path), "replay_toy:NOTHING"]) == 2
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_the_canteen_is_known() -> None:
    assert find_kernel("canteen").name == "canteen"


@pytest.mark.usefixtures("importable")
def test_fresh_processes_under_two_hash_seeds_agree(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([str(log), TOY, "--fresh"]) == 0
    output = capfd.readouterr()
    result = json.loads(output.out)
    assert result["fresh"]["same"] is True
    assert result["fresh"]["chains"] == [result["chain"]] * 2
    assert result["chain"] == replay(log, toy.KERNEL).chain
    assert "give the same effects" in output.err


@pytest.mark.usefixtures("importable")
def test_an_effect_that_depends_on_the_hash_seed_is_found(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shell = toy.Shell(tmp_path / "store")
    shell.feed(*(toy.Word(f"word {number}") for number in range(30)), toy.Leak())
    shell.store.close()
    assert main([str(tmp_path / "store"), TOY, "--fresh"]) == 1
    output = capfd.readouterr()
    assert json.loads(output.out)["fresh"]["same"] is False
    assert "DIFFER" in output.err


@pytest.mark.usefixtures("importable")
def test_a_fresh_run_of_nothing_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edge.runtime.replay", str(tmp_path), TOY, "--fresh"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "start the daemon once" in done.stderr


def test_digests_are_eight_bytes_and_keep_order() -> None:
    a, b = Show("a", 1), Show("b", [1, 2])
    assert len(effect_digest(a)) == 8
    assert effects_digest([a, b]) == effect_digest(a) + effect_digest(b)
    assert effect_digest(Show("b", [2, 1])) != effect_digest(b)
    assert effect_digest(a) == bytes.fromhex(effect_digest(Show("a", 1)).hex())
    assert decode(encode([LogRecord(Stamp(1, "b", 0, 0, wall_trusted=True), b"", effect_digest(a))])[0])
