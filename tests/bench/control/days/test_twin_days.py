"""Properties over random days of a twin: whatever devices, feeds and persons do, the promises of control hold."""

import pytest
from doubles.twin.days import draw
from doubles.twin.promises import broken
from doubles.twin.run_day import replayed, run
from faults.command import WHOLE

DAYS = 10_000 if WHOLE else 60
BLOCKS = 10


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_promise_is_broken_on_a_random_day(block):
    faults = {}
    for seed in range(block, DAYS, BLOCKS):
        day = draw(seed)
        if found := broken(day, run(day)):
            faults[seed] = found
    assert faults == {}


def test_the_same_ticks_give_the_same_decisions():
    for seed in range(3):
        trace = run(draw(seed), keep=True)
        assert replayed(draw(seed), trace) == [row[-1] for row in trace.ticks]
