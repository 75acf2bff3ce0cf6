"""The dispatch of batteries and start costs against a mixed-integer programme, and against trying everything."""

from itertools import pairwise, product

import numpy as np
import pytest
from oracles.storage_milp import best_usd

from hardware_profiles.errors import InputError
from sites.storage import joint, milp
from sites.storage.hours import NO_BATTERY, started, value_usd
from sites.storage.solve import best, quick
from sites.storage.terms import Battery

WEEKS = 200
KINDS = ("battery", "starts", "both")
CHUNKS = 10


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_weeks_equal_the_mixed_integer_programme(make_week, chunk):
    """200 weeks with battery, starts or both; value functions and HiGHS are within 1e-6 of the programme."""
    for seed in range(chunk, WEEKS, CHUNKS):
        steps, battery = make_week(KINDS[seed // CHUNKS % len(KINDS)], seed)
        truth = best_usd(steps, battery)
        assert joint.fits(steps, battery)
        assert best(steps, battery).value_usd == pytest.approx(truth, rel=1e-6), seed
        assert milp.solve(steps, battery).value_usd == pytest.approx(truth, rel=1e-6), seed


def test_two_units_that_share_the_interconnect_equal_the_programme(make_steps):
    for seed in range(4):
        steps = make_steps(seed, 72, 2, most_hours=5)
        assert best(steps, NO_BATTERY).value_usd == pytest.approx(best_usd(steps, NO_BATTERY), rel=1e-6), seed


@pytest.mark.parametrize("seed", range(6))
def test_a_demand_charge_and_a_limit_of_cycles_equal_the_programme(make_steps, make_battery, seed):
    """These couple the steps of a month and a day, so HiGHS solves them; the quick plan keeps both limits."""
    steps = make_steps(seed, units=seed % 2, charge=400.0 * (seed % 3))
    battery = make_battery(seed, cycles_per_day=0.4)
    done, fast = best(steps, battery), quick(steps, battery)
    assert done.method.startswith("HiGHS")
    assert done.gap_frac <= milp.GAP_FRAC
    assert done.value_usd == pytest.approx(best_usd(steps, battery), rel=1e-6)
    assert fast.value_usd <= done.value_usd * (1 + 1e-9)
    for plan in (done, fast):
        by_day = np.bincount(steps.day, weights=plan.discharge_mw)
        assert by_day.max() <= 0.4 * battery.energy_mwh * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_no_order_of_on_and_off_of_ten_hours_is_better(make_steps, seed):
    """All 1,024 orders of one unit are tried, without a solver."""
    steps = make_steps(seed, 10, 1, most_hours=4)
    up, down, none = int(steps.up[0]), int(steps.down[0]), np.zeros(10)

    def allowed(on):
        edges = [0, *(np.flatnonzero(np.diff(on)) + 1), 10]
        inner = list(pairwise(edges[1:]))[:-1]  # the first and the last stretch may go on outside
        return all(end - begin >= (up if on[begin] else down) for begin, end in inner)

    tried = [
        value_usd(steps, NO_BATTERY, none, none, np.array([order]))
        for order in product((0, 1), repeat=10)
        if allowed(np.array(order))
    ]
    assert best(steps, NO_BATTERY).value_usd == pytest.approx(max(tried), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_no_order_of_whole_megawatts_of_five_hours_is_better(make_steps, seed):
    """A battery without losses among whole numbers has a whole optimum: all 5^5 orders of net draw are tried."""
    steps = make_steps(seed, 5)
    steps = steps._replace(cap_mw=np.rint(steps.cap_mw), room_mw=np.rint(steps.room_mw), must_mw=np.rint(steps.must_mw))
    battery = Battery(2.0, 4.0, 1.0, 1.0, start_frac=0.5, end_frac=0.5, wear_usd_per_mwh=3.0)
    tried, on = [], np.zeros((0, 5), np.int64)
    width = steps.cap_mw.sum(axis=0) + steps.room_mw.sum(axis=0)
    for order in product(range(-2, 3), repeat=5):
        net = np.array(order, float)
        state = 2.0 + np.cumsum(net)
        size = steps.room_mw[1:].sum(axis=0) - steps.must_mw - net
        if state.min() >= 0 and state.max() <= 4 and state[-1] >= 2 and (size >= 0).all() and (size <= width).all():
            tried.append(value_usd(steps, battery, np.maximum(net, 0), np.maximum(-net, 0), on))
    assert best(steps, battery).value_usd == pytest.approx(max(tried), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_keeps_every_limit(make_week, kind):
    for seed in range(10):
        steps, battery = make_week(kind, seed)
        plan = best(steps, battery)
        assert ((plan.charge_mw == 0) | (plan.discharge_mw == 0)).all()
        assert max(plan.charge_mw.max(), plan.discharge_mw.max()) <= battery.power_mw * (1 + 1e-9)
        cells = np.concatenate([[battery.start_frac * battery.energy_mwh], plan.state_mwh])
        change = plan.charge_mw * battery.charge_frac - plan.discharge_mw / battery.discharge_frac
        assert np.diff(cells) == pytest.approx(change, abs=1e-9)
        low, high = battery.min_frac * battery.energy_mwh, battery.max_frac * battery.energy_mwh
        assert low - 1e-9 <= cells.min()
        assert cells.max() <= high + 1e-9
        assert cells[-1] >= battery.end_frac * battery.energy_mwh - 1e-9
        for u, on in enumerate(plan.on):
            for k in np.flatnonzero(started(plan.on)[u]):
                assert on[k : k + int(steps.up[u])].all()
            for k in np.flatnonzero(np.diff(on) < 0) + 1:
                assert not on[k : k + int(steps.down[u])].any()


def test_losses_are_not_bought_at_a_price_below_zero(make_steps):
    """At -500 USD/MWh a full battery that charged and discharged at once would be paid for its losses."""
    steps = make_steps(1, 6)
    steps = steps._replace(price=np.full((3, 6), -500.0))
    battery = Battery(5.0, 10.0, 0.8, 0.8, start_frac=1.0, end_frac=1.0)
    assert milp.burns(steps, battery).all()
    assert joint.solve(steps, battery).value_usd == pytest.approx(best_usd(steps, battery), rel=1e-9)
    assert milp.solve(steps, battery).value_usd == pytest.approx(best_usd(steps, battery), rel=1e-9)


def test_a_battery_of_more_than_a_day_is_left_to_highs(make_steps):
    """Its value functions would have corners without end; scenarios refuse it."""
    steps = make_steps(3)
    battery = Battery(2.0, 60.0, 0.9, 0.9)
    done = best(steps, battery)
    assert done.method.startswith("HiGHS")
    assert done.value_usd == pytest.approx(best_usd(steps, battery), rel=1e-6)
    with pytest.raises(InputError, match=r"battery: expected at most 24 hours of its full power, got .30 hours"):
        quick(steps, battery)


def test_a_year_of_battery_and_starts(benchmark, make_steps, make_battery):
    """Wanted: under 5 s."""
    benchmark.pedantic(best, args=(make_steps(3, 8760, 1), make_battery(3)), rounds=3, warmup_rounds=1)
