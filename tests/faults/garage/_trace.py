"""What is kept of a campaign: one JSON line per event in a file per case, and one result line per case, so that a run
can be looked at afterwards and goes on where it was interrupted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Trace:
    """The events of one case, times in simulated (or real) seconds."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("w", encoding="utf-8")

    def event(self, at_ns: int, event: str, /, **facts: Any) -> None:
        self._file.write(json.dumps({"at_s": round(at_ns / 1e9, 3), "event": event, **facts}, default=str) + "\n")
        if event == "violation":
            self._file.flush()

    def close(self) -> None:
        self._file.close()


class Results:
    """One line per finished case in ``results.jsonl``: known ones are not run again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._path = folder / "results.jsonl"
        self.known: dict[str, dict[str, Any]] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                told = json.loads(line)
                self.known[told["case"]] = told

    def add(self, case: str, *, passed: bool, detail: str, numbers: dict[str, Any]) -> None:
        told = {"case": case, "passed": passed, "detail": detail, "numbers": numbers}
        self.known[case] = told
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
