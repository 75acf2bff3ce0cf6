"""The test for drift names no unit of a steady fleet more often than it says, and names units that drift."""

import numpy as np
import pytest

from bench.fleet.drift import FALSE_ALARMS_FRAC, drifts

FLEETS = 400
MOST = FALSE_ALARMS_FRAC + 3.0 * (FALSE_ALARMS_FRAC * (1.0 - FALSE_ALARMS_FRAC) / FLEETS) ** 0.5


def series(rng, units, records, *, noisy=1.0, drift=0.0):
    days = np.sort(rng.uniform(0.0, 90.0, (units, records)))
    days[:, 0], days[:, -1] = 0.0, 90.0
    logs = 0.02 * rng.standard_normal((units, 1)) + 0.005 * rng.standard_normal((units, records))
    logs[0] = logs[0] * noisy + drift * days[0] / 90.0
    return {f"unit {at}": list(zip(days[at], logs[at], strict=True)) for at in range(units)}


@pytest.mark.parametrize(("units", "records"), [(1, 4), (3, 3), (8, 5), (40, 3)])
def test_steady_fleets_have_no_more_false_alarms_than_stated(units, records):
    rng = np.random.default_rng(21)
    alarms = sum(any(one.drifts for one in drifts(series(rng, units, records)).values()) for _ in range(FLEETS))
    assert alarms / FLEETS <= MOST


def test_a_unit_that_scatters_more_is_held_against_its_own_scatter():
    rng = np.random.default_rng(22)
    alarms = sum(drifts(series(rng, 20, 8, noisy=4.0))["unit 0"].drifts for _ in range(FLEETS))
    assert alarms / FLEETS <= MOST


@pytest.mark.parametrize(
    ("units", "records", "drift", "least"), [(8, 5, -0.04, 0.9), (40, 3, -0.05, 0.9), (1, 8, 0.03, 0.9)]
)
def test_a_unit_that_drifts_is_named_with_its_change(units, records, drift, least):
    rng = np.random.default_rng(23)
    found = [drifts(series(rng, units, records, drift=drift))["unit 0"] for _ in range(100)]
    assert sum(one.drifts for one in found) >= least * len(found)
    assert np.mean([one.frac for one in found]) == pytest.approx(np.expm1(drift), abs=0.003)
    covered = [one.interval[0] <= np.expm1(drift) <= one.interval[1] for one in found]
    assert np.mean(covered) >= 0.88


def test_two_records_and_records_of_one_day_are_no_series():
    assert drifts({"a": [(0.0, 1.0), (30.0, 1.1)]}) == {}
    assert drifts({"a": [(0.0, 1.0), (0.2, 1.1), (0.4, 1.2)]}) == {}


def test_figures_without_any_scatter_divide_by_nothing():
    steady = drifts({"a": [(0.0, 1.0), (10.0, 1.0), (20.0, 1.0)]})["a"]
    assert (steady.frac, steady.drifts) == (0.0, False)
    rising = drifts({"a": [(0.0, 1.0), (10.0, 1.5), (20.0, 2.0)]})["a"]
    assert rising.drifts
