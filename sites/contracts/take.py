"""Minimum take: a quantity of energy that is paid for in each contract year, taken or not, with make-up rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.contracts.lines import Lines


@dataclass(frozen=True, slots=True)
class TakeTerms:
    """The terms of a minimum take, and of a most that may be taken at the contract price."""

    contract_mwh_per_year: float
    usd_per_mwh: float  # of energy that is paid for and not taken
    take_or_pay_frac: float = 1.0  # [-] of the contract quantity
    make_up_years: int = 0  # contract years in which energy that was paid for may still be taken
    most_frac: float | None = None  # [-] of the contract quantity, above which a surcharge is due
    surcharge_usd_per_mwh: float = 0.0


def minimum_take(terms: TakeTerms, *, taken_mwh: Floats, in_force: Floats, year: Integers) -> Lines:
    """Return the buyer's lines of a minimum take [USD], [M].

    Parameters
    ----------
    terms
        Terms of the contract.
    taken_mwh
        Energy taken under the contract, [M].
    in_force
        Share of each month in which the contract is in force, [M].
    year
        Contract year of each month, from 0 on, [M].

    Notes
    -----
    A contract year is settled in its last month. Its quantity is in proportion to its months in force. Energy above the
    minimum is first taken from what was paid for and not taken in the years before, the oldest first; its price is
    credited.
    """
    deficiency, made_up, surcharge = (np.zeros_like(taken_mwh) for _ in range(3))
    bank: list[tuple[int, float]] = []  # year, MWh paid for and not taken
    for number in np.unique(year[in_force > 0]):
        here = np.flatnonzero((year == number) & (in_force > 0))
        quantity = terms.contract_mwh_per_year * in_force[here].sum() / 12.0
        least, taken = terms.take_or_pay_frac * quantity, float(taken_mwh[here].sum())
        last = here[-1]
        deficiency[last] = -terms.usd_per_mwh * max(least - taken, 0.0)
        bank = [(since, mwh) for since, mwh in bank if number - since <= terms.make_up_years]
        used, bank = _withdrawn(bank, max(taken - least, 0.0))
        made_up[last] = terms.usd_per_mwh * used
        if terms.make_up_years:
            bank.append((int(number), max(least - taken, 0.0)))
        if terms.most_frac is not None:
            surcharge[last] = -terms.surcharge_usd_per_mwh * max(taken - terms.most_frac * quantity, 0.0)
    return {"deficiency payment": deficiency, "make-up credit": made_up, "surcharge": surcharge}


def _withdrawn(bank: list[tuple[int, float]], wanted_mwh: float) -> tuple[float, list[tuple[int, float]]]:
    """Return the energy that a bank gives, the oldest first, and what is left in it."""
    left, given = [], 0.0
    for since, mwh in bank:
        part = min(mwh, wanted_mwh - given)
        given += part
        if mwh > part:
            left.append((since, mwh - part))
    return given, left
