"""Demand response: payment for capacity, lowered by poor availability and failed tests, and payment for energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.contracts.lines import by_month

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.contracts.lines import Lines


@dataclass(frozen=True, slots=True)
class ResponseTerms:
    """The terms of an enrolment in a demand-response programme."""

    enrolled_mw: float  # [MW] that the site promises to drop
    usd_per_mw_hour: float = 0.0  # for each hour of obligation
    usd_per_mwh: float = 0.0  # for energy dropped in events, up to the enrolled power
    threshold_frac: float = 0.95  # [-] availability or performance from which on nothing is deducted
    reduction_power: float = 1.0  # power of the factor below the threshold: 1 in proportion, 2 by its square
    suspended_below_frac: float = 0.0  # [-] availability or performance below which a month earns no capacity payment


@dataclass(frozen=True, slots=True)
class Obligation:
    """The steps of an enrolment, [T]."""

    obliged: Floats  # [-] 1 in steps with an obligation, else 0
    available_mw: Floats  # [MW] that the site could drop
    event: Floats  # [-] 1 in steps of an event or a test, else 0
    dropped_mw: Floats  # [MW] below the baseline
    month: Integers  # of the horizon
    step_h: Floats  # [h] length


def demand_response(terms: ResponseTerms, steps: Obligation, months: int) -> Lines:
    """Return the lines of an enrolment [USD], [M].

    Notes
    -----
    Every obliged hour is paid for. Availability is the mean of the available power over the obliged hours without
    events, at most the enrolled one, over the enrolled one. Performance is the same for the dropped power in the hours
    of events and tests. The capacity payment is multiplied by the factor of availability and by that of performance: 1
    from the threshold on, else the share itself raised to the power. A month without events or tests has no factor of
    performance.
    """
    hours = by_month(steps.obliged * steps.step_h, steps.month, months)
    full_usd = terms.enrolled_mw * terms.usd_per_mw_hour * hours
    idle_h = steps.obliged * (1.0 - steps.event) * steps.step_h
    available = _factor(terms, _share(terms, steps.available_mw, idle_h, steps.month, months))
    performed = _factor(terms, _share(terms, steps.dropped_mw, steps.event * steps.step_h, steps.month, months))
    credited_mwh = np.minimum(steps.dropped_mw, terms.enrolled_mw) * steps.event * steps.step_h
    return {
        "capacity payment": full_usd,
        "availability deduction": -full_usd * (1.0 - available),
        "performance deduction": -full_usd * available * (1.0 - performed),
        "energy payment": terms.usd_per_mwh * by_month(credited_mwh, steps.month, months),
    }


def _share(terms: ResponseTerms, mw: Floats, counted: Floats, month: Integers, months: int) -> Floats:
    """Return the mean power in the counted steps over the enrolled power, [M]; 1 in months without such steps."""
    weight = by_month(counted, month, months)
    reached = by_month(np.clip(mw, 0.0, terms.enrolled_mw) * counted, month, months)
    return np.divide(reached, weight * terms.enrolled_mw, out=np.ones(months), where=weight > 0)


def _factor(terms: ResponseTerms, share: Floats) -> Floats:
    factor = np.where(share >= terms.threshold_frac, 1.0, share**terms.reduction_power)
    return np.where(share < terms.suspended_below_frac, 0.0, factor)
