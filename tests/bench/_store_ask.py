"""The questions of the store bench, asked of all stores in turn: what disturbs one disturbs the others as well.

Wall time is what a person waits for, but on a machine that others use too it tells most of them: a store that uses all
cores for a millisecond waits for each. Processor time (all threads of this process) tells what the question costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from _report import quantile

ASKED = 31
WARM_UP = 3

Questions = Mapping[str, Callable[[], int]]


class Took(NamedTuple):
    """Medians of one question of one store, ms."""

    wall_ms: float
    cpu_ms: float


def ask_in_turn(stores: Mapping[str, Questions], asked: int = ASKED) -> dict[str, dict[str, Took]]:
    """Question -> store -> what it took, warm."""
    found: dict[str, dict[str, Took]] = {}
    for question in next(iter(stores.values())):
        wall: dict[str, list[float]] = {store: [] for store in stores}
        cpu: dict[str, list[float]] = {store: [] for store in stores}
        for turn in range(asked + WARM_UP):
            for store, questions in stores.items():
                wall_ms, cpu_ms = _once(questions[question], f"{store}: {question}")
                if turn >= WARM_UP:
                    wall[store].append(wall_ms)
                    cpu[store].append(cpu_ms)
        found[question] = {store: Took(quantile(wall[store], 0.5), quantile(cpu[store], 0.5)) for store in stores}
    return found


def _once(question: Callable[[], int], name: str) -> tuple[float, float]:
    begun_cpu, begun = time.process_time_ns(), time.perf_counter_ns()
    count = question()
    wall_ms, cpu_ms = (time.perf_counter_ns() - begun) / 1e6, (time.process_time_ns() - begun_cpu) / 1e6
    assert count > 0, name
    return wall_ms, cpu_ms
