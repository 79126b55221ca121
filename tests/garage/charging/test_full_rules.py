"""What the full rules tell apart, and that each number of theirs is needed: a changed one must break a course."""

import pytest

NAMES = (
    *("goes green", "hot float", "hotter float", "two-step charger", "two-step of 36 V", "two-step beside a lithium"),
    *("stage seen from its start", "24 V charger", "slow cold taper", "splitter, the second tapers"),
    *("splitter, its rest is not small", "fan in the float", "every 300 s"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_course_ends_as_its_battery_does(name, courses, play_course):
    assert play_course(courses[name]) == ""


def test_every_course_is_played(courses):
    assert set(courses) == set(NAMES)
