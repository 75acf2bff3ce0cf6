"""A curtailment programme pays for load that is there, hour by hour, and never more than its linear programme."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import eye_array, hstack, kron, vstack

from sites.dispatch.columns import IDLE, SLA
from sites.dispatch.merit_order import NO_PROGRAMME, dispatch
from sites.dispatch.programme import enrolment_flags, programme_hourly
from sites.dispatch.year import site_year
from sites.scenarios.engine import Run, fleet_cases, run_fleet
from sites.scenarios.metrics import site_metric
from sites.scenarios.model import ScenarioModel, Uncertain

KINDS = ("idle", "sla", "tenant")


class Sites:
    """The blocks of a problem as HiGHS takes them: capacity and surplus at the meter, [blocks, T], and idle draw."""

    def __init__(self, problem, terms):
        hours, parts = problem.hours, problem.parts
        q, upper, usd, _ = terms(problem)
        working = parts.kind != IDLE
        penalty = np.where((parts.kind == SLA) | (parts.is_firm > 0), np.minimum(parts.penalty_usd_per_mwh, 1e4), 0.0)
        self.firm = parts.is_firm[working] > 0
        self.cap = (np.maximum(upper, 0.0) * q)[working]
        self.worth = ((usd + penalty[:, None]) / q)[working]
        self.idle = (upper * q)[~working].sum(axis=0)
        self.price = hours.spot_usd_per_mwh + hours.adder_usd_per_mwh

    def draw(self, limit, credit, most):
        """Return the power drawn, the part of it that tenants draw, and that given up [MW meter], each [T].

        The sum of surplus and credits is the largest, and no more is given up than `most(draw)` says: its offset and
        slope in the draw of an hour.
        """
        blocks, hours = self.cap.shape
        idle = np.minimum(self.idle, limit)
        offset, ceiling = most
        every = kron(np.ones((1, blocks)), eye_array(hours), format="csr")
        none = eye_array(hours) * 0.0
        matrix = vstack([hstack([every, none]), hstack([every, eye_array(hours)])], format="csr")
        cost = np.concatenate([(self.price - self.worth).ravel(), -credit])
        bounds = np.concatenate([self.cap.ravel(), np.maximum(ceiling, 0.0)])
        solved = linprog(
            cost,
            A_ub=matrix,
            b_ub=np.concatenate([np.maximum(limit - idle, 0.0), np.maximum(offset - idle, 0.0)]),
            bounds=np.stack([np.zeros_like(bounds), bounds], axis=1),
            method="highs",
        )
        assert solved.status == 0, solved.message
        drawn = solved.x[:-hours].reshape(blocks, hours)
        return idle + drawn.sum(axis=0), drawn[self.firm].sum(axis=0), solved.x[-hours:]


def best_credits(problem, terms, *, level):
    """Return credits and payments for readiness of each hour by linear programmes, each [T].

    The load is what the site draws at its best without an event. With `level`, credits count from the enrolled power
    as the programme's rule says; without, all that is given up of the load counts, up to the enrolled power.
    """
    programme, site = problem.programme, Sites(problem, terms)
    nothing = np.zeros(problem.how.size)
    load, tenants, _ = site.draw(programme.load_limit_mw, nothing, (np.full(nothing.size, 1e6), nothing))
    enrolled = np.full(nothing.size, programme.enrolled_mw)
    offset = np.minimum(load, enrolled) if level else load
    _, _, given_up = site.draw(problem.hours.limit_mw, programme.credit_usd_per_mwh, (offset, enrolled))
    fixed = np.minimum(site.idle, programme.load_limit_mw) + tenants
    there = np.minimum(np.maximum(load - fixed, 0.0), enrolled)
    return programme.credit_usd_per_mwh * given_up, programme.ready_usd_per_mw_hour * there


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 6.0, 20.0, 33.0, 50.0]), st.sets(st.sampled_from(KINDS)))
def test_credits_are_those_of_the_linear_programme_and_never_more(make_problem, terms, seed, enrolled, kinds):
    problem = make_problem(seed=seed, hours=240, enrolled_mw=enrolled, **{kind: kind in kinds for kind in KINDS})
    paid = programme_hourly(problem.programme, dispatch(problem).load)
    credits_usd, ready_usd = best_credits(problem, terms, level=True)
    assert paid == pytest.approx(credits_usd + ready_usd, rel=1e-7, abs=1e-4)
    most, ready_usd = best_credits(problem, terms, level=False)
    assert (paid <= most + ready_usd + 1e-4).all()


@pytest.mark.parametrize("charge", [900.0, 9_000.0])
def test_with_a_demand_charge_the_load_stays_within_the_months_peak(make_problem, charge):
    problem = make_problem(seed=5, hours=1460, enrolled_mw=30.0, charge=charge, contract_mw=8.0)
    done = dispatch(problem)
    assert (done.load.load_mw <= done.peaks_mw[problem.month] * (1 + 1e-12)).all()
    assert (done.load.drawn_mw <= done.load.load_mw + 1e-9).all()
    assert (programme_hourly(problem.programme, done.load) >= 0.0).all()


def test_a_programme_does_not_change_what_a_site_does_outside_its_events(make_problem):
    problem = make_problem(enrolled_mw=30.0, hours=730)
    alone = dispatch(problem._replace(programme=NO_PROGRAMME), hourly=True)
    assert (dispatch(problem, hourly=True).mw == alone.mw).all()


PROGRAMME = """[curtailment]
enrolled_mw = {}
ready_usd_per_mw_hour = {}
credit_usd_per_mwh = {}
[[curtailment.event]]
start = 2026-07-01T20:00:00Z
hours = 10
limit_mw = 0
"""


def test_enrolled_power_beyond_the_load_earns_nothing_and_is_said(edited):
    fits, beyond = (site_year(edited(add=PROGRAMME.format(mw, 5, 500))) for mw in (9, 10))
    load = fits.dispatch.load.load_mw[0]
    assert load == pytest.approx(9.0, rel=1e-3)
    assert beyond.credits_usd == pytest.approx(load * (5 * 8760 + 500 * 10), rel=1e-12)
    assert fits.credits_usd == pytest.approx(min(load, 9.0) * (5 * 8760 + 500 * 10), rel=1e-12)
    assert list(enrolment_flags(fits.site)) == []
    flags = list(enrolment_flags(beyond.site))
    assert len(flags) == 2
    assert flags[0].startswith(
        "curtailment.enrolled_mw: 10 MW, but the load that can be given up is lower in 8,760 of 8,760 hours and "
    )
    assert flags[1].endswith("only this load is paid in events")


def test_miners_that_the_price_keeps_off_earn_nothing_for_not_drawing(edited):
    year = site_year(edited("energy_usd_per_mwh = 40", "energy_usd_per_mwh = 400", add=PROGRAMME.format(9, 5, 500)))
    assert (year.metered_mwh, year.credits_usd) == (0.0, 0.0)
    assert len(list(enrolment_flags(year.site))) == 2


def test_load_that_an_outage_takes_is_not_paid(edited):
    outage = "[[power.outage]]\nstart = 2026-07-01T22:00:00Z\nhours = 3\n"
    whole, out = (site_year(edited(add=PROGRAMME.format(9, 5, 500) + add)) for add in ("", outage))
    load = whole.dispatch.load.load_mw[0]
    assert whole.credits_usd - out.credits_usd == pytest.approx(3 * min(load, 9.0) * (5 + 500), rel=1e-12)


def test_an_availability_below_100_per_cent_lowers_the_payments_in_proportion(edited):
    whole, half = (
        site_year(edited("interconnect_mw = 10", f"interconnect_mw = 10\navailability_percent = {percent}",
                         add=PROGRAMME.format(5, 5, 500)))
        for percent in (100, 50)
    )  # fmt: skip
    assert half.credits_usd == pytest.approx(0.5 * whole.credits_usd, rel=1e-12)


def test_idle_power_is_not_ready_to_be_given_up(full_year):
    load = full_year.dispatch.load
    assert (load.fixed_mw > 0).all()
    (flag,) = (flag for flag in enrolment_flags(full_year.site) if "readiness" in flag)
    there = np.minimum((load.load_mw - load.fixed_mw) / 0.98, 40.0).mean()
    assert "40 MW, but the load that can be given up is lower in " in flag
    assert f"hours and {there:.4g} MW on average" in flag


def test_a_site_without_a_programme_has_no_load_series_and_no_warning(edited):
    year = site_year(edited())
    assert year.dispatch.load.load_mw.size == 0
    assert list(enrolment_flags(year.site)) == []


def test_in_every_scenario_only_the_load_of_that_scenario_is_paid(edited):
    model = ScenarioModel({"btc": Uncertain(1.5), "difficulty": Uncertain(0.5)}, measurement=False)
    site = edited(add=PROGRAMME.format(9, 5, 500))
    run = run_fleet(fleet_cases([site], model), Run(3, model), 64)
    credits_usd, drawn = site_metric(run, 0, "credits_usd"), site_metric(run, 0, "metered_mwh")
    load = site_year(site).dispatch.load.load_mw[0]
    assert (drawn < 0.9 * load * 8750).any()  # in some scenarios the miners are off in some months
    ready = 5 * np.minimum(drawn, 9.0 * 8750)
    assert (credits_usd <= ready + 10 * 9.0 * (5 + 500) + 1e-6).all()
    assert (credits_usd >= ready * (1 - 1e-3)).all()
