"""Sweeps of simulated units whose optimum is known: the stated range holds it in 95 of 100, and is worth stating."""

import pytest
from doubles.sweep.units import Bench
from faults.command import WHOLE

from bench.measure.optimum.order import walk
from bench.sweep.curve import curve_of
from bench.sweep.levels import downwards, parse_levels

SEEDS = 200
SWEEPS = [("there-and-back", "luxos-s19"), ("random", "whatsminer-m60")]


def swept(seed, order, kind):
    """The curve of one unit, and the level that is truly best."""
    bench = Bench(seed, kind)

    def levels(found):
        below = downwards(parse_levels("auto", bench.lever), found, bench.lever, beyond=False, every=False)
        return tuple(walk(below, order, 2, str(seed)))

    sweep = bench.sweep()
    with sweep.held:
        course = sweep.carry_out(levels, bench.measure)
    assert not course.fault
    assert bench.unit.level_w(bench.now_s) == bench.unit.kind.full_w
    return curve_of(course.records), bench.best_level()


@pytest.mark.parametrize(("order", "kind"), SWEEPS if WHOLE else SWEEPS[:1])
def test_the_range_of_a_sweep_holds_the_known_optimum(order, kind):
    done = [swept(seed, order, kind) for seed in range(SEEDS)]
    assert sum(best in curve.range for curve, best in done) >= 0.95 * SEEDS
    assert sum("on" not in curve.range for curve, _ in done) >= 0.9 * SEEDS, "full power is 2 to 5 % worse"
    assert sum(len(curve.range) for curve, _ in done) < 3.7 * SEEDS, "of five levels"
