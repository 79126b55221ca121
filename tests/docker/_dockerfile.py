"""Reads a Dockerfile and carries out its COPY and RUN steps in order, each stage in a folder that begins empty.

No container engine: a stage's absolute paths become paths below its folder, which is done in the words of the steps
themselves. What a step copies must therefore have been copied or made before it, as in a build; the base image's own
files are this machine's.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ARGUMENTS = {
    "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD",
}  # fmt: skip


@dataclass
class Stage:
    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def words(self, step):
        """What each step of this kind says."""
        return [text for kind, text in self.steps if kind == step]


def stages_of(path: Path) -> list[Stage]:
    """The stages; raises on a step that a Dockerfile does not have or that none of ours may."""
    text = re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8"))
    stages: list[Stage] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        kind, _, rest = line.partition(" ")
        assert kind in ARGUMENTS, f"{path.name}: {kind} is not a step that we use"
        if kind == "FROM":
            match = re.fullmatch(r"(\S+) AS (\S+)", rest)
            assert match, f"{path.name}: a stage without a name: {line}"
            stages.append(Stage(match[1], match[2]))
        else:
            stages[-1].steps.append((kind, rest))
    return stages


class Context:
    """The files that a build is sent: those of the checkout that the .dockerignore lets through."""

    def __init__(self, root: Path, ignore: Path) -> None:
        self.root = root
        self.patterns = [line for line in ignore.read_text(encoding="utf-8").split() if not line.startswith("#")]

    def has(self, path: str) -> bool:
        """The last pattern that matches a path or a folder above it decides (the .dockerignore rules)."""
        kept = True
        parts = path.split("/")
        places = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        for pattern in self.patterns:
            word = pattern.removeprefix("!")
            if any(_matches(word, place) for place in places):
                kept = pattern.startswith("!")
        return kept

    def copy(self, source: str, target: Path) -> int:
        """Copy a file or a folder's files; gives how many."""
        found = self.root / source
        assert found.exists(), f"COPY {source}: there is no such file in the checkout"
        files = [found] if found.is_file() else sorted(path for path in _walk(found) if path.is_file())
        count = 0
        for path in files:
            if not self.has(path.relative_to(self.root).as_posix()):
                continue
            place = target / path.relative_to(found) if found.is_dir() else target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
            count += 1
        assert count, f"COPY {source}: the .dockerignore leaves nothing of it"
        return count


def _walk(folder: Path):
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in {"node_modules", "__pycache__"}]
        yield from (Path(base) / name for name in names)


def _matches(pattern: str, place: str) -> bool:
    if pattern.startswith("**/"):
        return any(fnmatch.fnmatchcase(part, pattern[3:]) for part in place.split("/"))
    return pattern == "**" or fnmatch.fnmatchcase(place, pattern)


class Build:
    """Carries out stages below ``folder``. ``instead`` maps a RUN's words (a part of them) to what is done in its place
    (a function of the stage's folder): steps that need the network."""

    def __init__(self, context: Context, folder: Path, instead) -> None:
        self.context, self.folder, self.instead = context, folder, instead
        self.done: list[str] = []

    def run(self, stage: Stage) -> Path:
        home = self.folder / stage.name
        home.mkdir()
        here = "/"
        for kind, text in stage.steps:
            if kind == "WORKDIR":
                here = text
                self._place(home, here, ".").mkdir(parents=True, exist_ok=True)
            elif kind == "COPY":
                self._copy(home, here, text)
            elif kind == "RUN":
                self._run(home, here, text)
        return home

    def _place(self, home: Path, here: str, path: str) -> Path:
        return home / (path if path.startswith("/") else f"{here}/{path}").lstrip("/")

    def _copy(self, home: Path, here: str, text: str) -> None:
        words = shlex.split(text)
        origin = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
        *sources, target = words
        for source in sources:
            place = self._place(home, here, target)
            if target.endswith("/") and not origin and (self.context.root / source).is_file():
                place = place / Path(source).name
            if origin:
                found = self.folder / origin / source.lstrip("/")
                assert found.exists(), f"COPY --from={origin} {source}: that stage did not make it"
                shutil.copytree(found, place, symlinks=True, dirs_exist_ok=True)
            else:
                self.context.copy(source, place)
        self.done.append(f"COPY {text}")

    def _run(self, home: Path, here: str, text: str) -> None:
        stand_in = next((act for part, act in self.instead.items() if part in text), None)
        if stand_in is not None:
            stand_in(home)
            self.done.append(f"instead of RUN {text}")
            return
        command = re.sub(r"(?<![\w.])/(build|opt|wheel|src)\b", lambda match: f"{home}/{match[1]}", text)
        cwd = self._place(home, here, ".")
        ran = subprocess.run(["sh", "-ec", command], cwd=cwd, capture_output=True, text=True, check=False, timeout=250)
        assert ran.returncode == 0, f"RUN {text}: {ran.stderr[-2000:]}"
        self.done.append(f"RUN {text}")


def exec_form(text: str) -> list[str]:
    """The words of an ENTRYPOINT, CMD or HEALTHCHECK CMD in its exec form."""
    return json.loads(text)
