"""The offset of a host's clock: its bound holds for any delays, and a clock that was set in between is refused."""

import random
from dataclasses import replace

import pytest
from doubles.lab.clocks import CONTROLLER_S, UTC_S, SimulatedHost, exchanges

from bench.lab.clocks.exchange import exchanges_with
from bench.lab.clocks.offset import offset_of
from bench.lab.host.identity import stamp
from hardware_profiles.errors import InputError


def some_host(chance, **more):
    return SimulatedHost(
        offset_s=chance.uniform(-1e6, 1e6),
        rate_frac=chance.uniform(-200e-6, 200e-6),
        utc_off_s=chance.uniform(-10.0, 10.0),
        **more,
    )


def test_the_bound_holds_for_every_pair_of_delays():
    for seed in range(500):
        chance = random.Random(seed)
        host = some_host(chance)
        out_s, back_s = (10.0 ** chance.uniform(-4.0, 0.0) for _ in range(2))
        offset = offset_of(exchanges(host, chance, 20.0, out_s=out_s, back_s=back_s))
        t_s = offset.taken_s - CONTROLLER_S
        true_s = host.monotonic_s(t_s) - offset.taken_s
        assert abs(offset.monotonic_s - true_s) <= offset.monotonic_bound_s + 1e-9
        assert abs(offset.utc_s - host.utc_off_s) <= offset.utc_bound_s + 1e-6
        assert offset.monotonic_bound_s <= 1.001 * offset.round_trip_s / 2.0  # as good as the best one alone


def test_the_bound_is_no_narrower_than_what_unequal_delays_leave_open():
    """With all of the delay on one way, the true offset is at the end of the interval, not in its middle."""
    host = SimulatedHost(offset_s=0.0)
    offset = offset_of(exchanges(host, random.Random(1), 0.0, out_s=0.1, back_s=1e-6))
    error_s = offset.monotonic_s - (0.0 - CONTROLLER_S)
    assert 0.04 < abs(error_s) <= offset.monotonic_bound_s


def test_the_best_of_several_round_trips_decides():
    host = SimulatedHost(offset_s=7.0)
    slow = exchanges(host, random.Random(1), 0.0, out_s=0.5, back_s=0.5, count=5)
    fast = exchanges(host, random.Random(2), 20.0, out_s=0.001, back_s=0.001, count=1)
    offset = offset_of([*slow, *fast])
    assert offset.monotonic_bound_s < 0.005
    assert offset.round_trip_s == pytest.approx(fast[0].received_s - fast[0].sent_s)


def test_a_clock_that_is_set_between_two_answers_is_refused():
    host = SimulatedHost(offset_s=0.0)
    good = exchanges(host, random.Random(1), 0.0, out_s=0.01, back_s=0.01, count=2)
    moved = replace(good[1], host=replace(good[1].host, utc_s=good[1].host.utc_s + 7200.0))
    with pytest.raises(InputError, match="one offset in all of its answers"):
        offset_of([good[0], moved])


def test_a_boot_between_two_answers_is_refused():
    host = SimulatedHost(offset_s=0.0)
    good = exchanges(host, random.Random(1), 0.0, out_s=0.01, back_s=0.01, count=2)
    booted = replace(good[1], host=replace(good[1].host, boot_id="boot-2"))
    with pytest.raises(InputError, match="a boot between two answers"):
        offset_of([good[0], booted])


def test_a_host_that_never_answers_has_no_offset():
    with pytest.raises(InputError, match="expected an answer"):
        offset_of([])


def test_this_machine_is_not_off_from_itself():
    offset = offset_of(exchanges_with(lambda: stamp().model_dump(mode="json")))
    assert abs(offset.utc_s) <= offset.utc_bound_s + 1e-4
    assert abs(offset.monotonic_s) <= offset.monotonic_bound_s
    assert offset.exchanges == 8
    assert offset.boot_id == offset.controller_boot_id


@pytest.mark.parametrize("answer", [{}, {"utc_s": UTC_S}, {"utc_s": "noon", "monotonic_s": 1, "boot_id": ""}])
def test_an_answer_that_is_no_clock_is_named(answer):
    with pytest.raises(InputError, match="clock of the host: expected utc_s, monotonic_s and boot_id"):
        exchanges_with(lambda: answer)
