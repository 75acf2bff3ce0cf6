"""Two hosts' clocks during a run: the bound holds while they drift and wander, and what clocks do not do is refused."""

import random

import pytest
from doubles.lab.clocks import SimulatedHost, exchanges

from bench.lab.clocks.alignment import ClockRefusedError, Look, align
from bench.lab.clocks.offset import offset_of

START_S, END_S = 100.0, 700.0  # true times of the looks


def look(measuring, reading, chance, at_s, delay_s=0.002):
    return Look(
        offset_of(exchanges(measuring, chance, at_s, out_s=delay_s, back_s=3.0 * delay_s)),
        offset_of(exchanges(reading, chance, at_s + 1.0, out_s=2.0 * delay_s, back_s=delay_s)),
    )


def hosts(chance, **more):
    return [
        SimulatedHost(
            chance.uniform(-1e6, 1e6), chance.uniform(-100e-6, 100e-6), chance.uniform(0, 40e-6),
            chance.uniform(100.0, 3000.0), **more,
        )
        for _ in range(2)
    ]  # fmt: skip


def test_the_bound_holds_at_every_moment_of_the_span():
    for seed in range(300):
        chance = random.Random(seed)
        measuring, reading = hosts(chance)
        delay_s = 10.0 ** chance.uniform(-4.0, -0.5)
        before, after = (look(measuring, reading, chance, at_s, delay_s) for at_s in (START_S, END_S))
        first_s, last_s = 150.0, chance.uniform(200.0, 690.0)
        clock = align(before, after, measuring.monotonic_s(first_s), measuring.monotonic_s(last_s))
        for part in range(21):
            t_s = first_s + (last_s - first_s) * part / 20.0
            true_s = reading.monotonic_s(t_s) - measuring.monotonic_s(t_s)
            assert abs(clock.shift_s - true_s) <= clock.bound_s
        length_s = 60.0
        true_length_s = reading.monotonic_s(200.0 + length_s) - reading.monotonic_s(200.0)
        own_length_s = measuring.monotonic_s(200.0 + length_s) - measuring.monotonic_s(200.0)
        assert abs(true_length_s / own_length_s - 1.0) <= clock.rate_frac


def test_the_drift_is_a_term_of_the_bound():
    chance = random.Random(3)
    steady = [SimulatedHost(10.0), SimulatedHost(20.0)]
    drifting = [SimulatedHost(10.0), SimulatedHost(20.0, rate_frac=300e-6)]
    bounds = []
    for measuring, reading in (steady, drifting):
        before, after = (look(measuring, reading, chance, at_s) for at_s in (START_S, END_S))
        bounds.append(align(before, after, measuring.monotonic_s(150.0), measuring.monotonic_s(650.0)))
    assert bounds[1].drift_s == pytest.approx(600.0 * 300e-6, abs=0.02)
    assert bounds[1].bound_s > bounds[0].bound_s + 0.05  # half of the drift within the span


def test_clocks_that_move_more_than_clocks_do_are_refused():
    chance = random.Random(4)
    measuring, reading = SimulatedHost(10.0), SimulatedHost(20.0, asleep=[(300.0, 330.0)])
    before, after = (look(measuring, reading, chance, at_s) for at_s in (START_S, END_S))
    with pytest.raises(ClockRefusedError, match=r"changed by -30 s in 600 s") as caught:
        align(before, after, measuring.monotonic_s(150.0), measuring.monotonic_s(650.0))
    assert caught.value.code == "clock_drifted"


@pytest.mark.parametrize("which", [0, 1])
def test_a_boot_of_either_host_is_refused(which):
    chance = random.Random(5)
    pair = [SimulatedHost(10.0), SimulatedHost(20.0)]
    before = look(*pair, chance, START_S)
    pair[which] = SimulatedHost(0.0, boot_id="boot-2")
    with pytest.raises(ClockRefusedError, match=f"the {('measuring', 'reading')[which]} host was booted"):
        align(before, look(*pair, chance, END_S), 160.0, 600.0)


@pytest.mark.parametrize("span_s", [(50.0, 600.0), (150.0, 900.0)])
def test_a_run_that_is_not_between_the_looks_is_refused(span_s):
    chance = random.Random(6)
    pair = [SimulatedHost(0.0), SimulatedHost(20.0)]
    before, after = (look(*pair, chance, at_s) for at_s in (START_S, END_S))
    with pytest.raises(ClockRefusedError, match="not looked at before and after") as caught:
        align(before, after, *span_s)
    assert caught.value.code == "clock_uncertain"


def test_a_controller_that_was_booted_between_its_two_answers_is_refused():
    chance = random.Random(7)
    pair = [SimulatedHost(0.0), SimulatedHost(20.0)]
    before, after = (look(*pair, chance, at_s) for at_s in (START_S, END_S))
    other = before.reading.model_copy(update={"controller_boot_id": "another"})
    with pytest.raises(ClockRefusedError, match="the controller was booted"):
        align(before._replace(reading=other), after, 150.0, 600.0)
