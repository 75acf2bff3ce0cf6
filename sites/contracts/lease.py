"""The lease of power and space to a tenant by the kW and month: take-or-pay, escalator, energy passed through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.contracts.lines import escalated

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.contracts.lines import Lines


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """The terms of a colocation lease."""

    contracted_kw: float  # [kW] critical load
    usd_per_kw_month: float
    take_or_pay_frac: float = 1.0  # [-] of the contracted power that is paid for, drawn or not
    escalator_frac: float = 0.0  # [-] rise of the rent at each anniversary
    energy_passed_through: bool = True  # whether the tenant repays the cost of its energy
    markup_frac: float = 0.0  # [-] on passed-through energy


def lease(
    terms: LeaseTerms,
    *,
    drawn_kw: Floats,
    energy_usd: Floats,
    in_force: Floats,
    anniversaries: Integers,
) -> Lines:
    """Return the landlord's lines of a lease [USD], [M].

    Parameters
    ----------
    terms
        Terms of the lease.
    drawn_kw
        Mean power that the tenant drew while the lease was in force [kW], [M].
    energy_usd
        Cost of the tenant's energy, cooling included [USD], [M].
    in_force
        Share of each month in which the lease is in force, [M].
    anniversaries
        Anniversaries of the lease that have passed, [M].

    Notes
    -----
    Billed are the drawn kW, at least the take-or-pay share of the contracted ones and at most all of them.
    """
    least = terms.take_or_pay_frac * terms.contracted_kw
    billed_kw = np.clip(drawn_kw, least, terms.contracted_kw)
    rent_usd = escalated(terms.usd_per_kw_month, terms.escalator_frac, anniversaries) * billed_kw * in_force
    passed = energy_usd * (1.0 + terms.markup_frac) if terms.energy_passed_through else np.zeros_like(energy_usd)
    return {"rent": rent_usd, "energy passed through": passed}
