"""Every reachable state of five bounded garages, and every event from each, in CI (issue 3.1, garage-domain.md 7.1)."""

from __future__ import annotations

import pytest

#: Model -> at least so many states: an explorer that sees less has been narrowed.
LEAST = {"evidence": 4000, "neighbours": 1900, "port": 14_000, "contactor": 12_000, "combined": 25_000}
MODES = {"blind", "pre_alarm", "latched", "resettable", "normal"}


@pytest.mark.timeout(1800)  # a loaded machine gives a process a tenth of its time
@pytest.mark.parametrize("model", sorted(LEAST))
def test_no_event_from_any_state_breaks_an_invariant(explore, model, capsys):
    found = explore(model, limit_s=390)
    with capsys.disabled():
        rate = round(found.transitions / max(found.seconds, 0.001))
        print(f"\ninterlock {model}: {found.states} states, {found.transitions} transitions, "
              f"{found.seconds:.1f} s of CPU ({rate}/s), modes {found.modes}")  # fmt: skip
    assert not found.broken, f"{found.broken}\n  by " + " -> ".join(found.trace)
    assert found.complete
    assert found.states >= LEAST[model]
    assert set(found.modes) >= MODES
