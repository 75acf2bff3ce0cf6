"""Payments of a curtailment programme, which count only the load that is there, and warnings about the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sites.dispatch.formulas import programme_usd
from sites.dispatch.merit_order import dispatch
from sites.dispatch.problem import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sites.arrays import Floats
    from sites.dispatch.columns import HourLoad
    from sites.dispatch.merit_order import Programme
    from sites.model import Site

THERE_FRAC = 0.95  # share of the enrolled power that is there on average, from which nothing is said
ROUNDING_FRAC = 0.01  # of the enrolled power: whole devices seldom add up to a round number of megawatts


def programme_hourly(programme: Programme, load: HourLoad) -> Floats:
    """Return the payments of a programme [USD per hour of a step], [T]; empty without a programme."""
    payments = (programme.ready_usd_per_mw_hour, programme.credit_usd_per_mwh)
    usd: Floats = programme_usd(programme.enrolled_mw, payments, load.load_mw, load.fixed_mw, load.drawn_mw)
    return usd


def enrolment_flags(site: Site) -> Iterator[str]:
    """Yield a line for each kind of payment whose enrolled power is not there on average while the site has power.

    A site with phases has no single year whose load it could be compared with.
    """
    if site.enrolled_mw == 0.0 or site.has_phases:
        return
    arrays = problem(site)
    programme, load = arrays.programme, dispatch(arrays).load
    can_give_up = np.maximum(load.load_mw - load.fixed_mw, 0.0) / site.availability_frac
    if programme.ready_usd_per_mw_hour > 0.0:
        every = np.ones(can_give_up.size, bool)
        yield from _short(site, can_give_up, every, "for readiness")
    called = programme.credit_usd_per_mwh > 0.0
    if called.any():
        yield from _short(site, can_give_up, called, "in events")


def _short(site: Site, can_give_up_mw: Floats, steps: NDArray[np.bool_], purpose: str) -> Iterator[str]:
    enrolled_mw, hours_where = site.enrolled_mw, site.calendar.hours_where
    there = np.minimum(can_give_up_mw, enrolled_mw)
    if there[steps].mean() >= THERE_FRAC * enrolled_mw:
        return
    below_h = hours_where(steps & (there < (1.0 - ROUNDING_FRAC) * enrolled_mw))
    yield (
        f"curtailment.enrolled_mw: {enrolled_mw:.4g} MW, but the load that can be given up is lower in "
        f"{below_h:,.10g} of {hours_where(steps):,.10g} hours and {there[steps].mean():.4g} MW on average; "
        f"only this load is paid {purpose}"
    )
