"""GPU-hours sold on demand and reserved: a commitment that is paid for whether it is used or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.contracts.lines import escalated

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.contracts.lines import Lines


@dataclass(frozen=True, slots=True)
class GpuHourTerms:
    """The terms of a contract for GPU-hours; without reserved GPUs it is on demand."""

    usd_per_gpu_hour: float  # on demand: hours that are not reserved
    reserved_gpus: float = 0.0
    reserved_usd_per_gpu_hour: float = 0.0
    upfront_frac: float = 0.0  # [-] of the price of all reserved hours, paid in the first month
    credit_frac: float = 1.0  # [-] of the reserved price, for reserved hours that the site cannot serve
    escalator_frac: float = 0.0  # [-] rise of both prices at each anniversary


def gpu_hours(
    terms: GpuHourTerms,
    *,
    used_h: Floats,
    unserved_h: Floats,
    hours: Floats,
    anniversaries: Integers,
) -> Lines:
    """Return the seller's lines of a contract for GPU-hours [USD], [M].

    Parameters
    ----------
    terms
        Terms of the contract.
    used_h
        GPU-hours that the customer used, [M].
    unserved_h
        Reserved GPU-hours in which the site had no GPU for the customer, [M].
    hours
        Hours of each month in which the contract is in force, [M].
    anniversaries
        Anniversaries of the contract that have passed, [M].

    Notes
    -----
    Use beyond the reserved GPU-hours of a month is on demand; unused reserved hours do not carry over.
    """
    reserved_h = terms.reserved_gpus * hours
    reserved_price = escalated(terms.reserved_usd_per_gpu_hour, terms.escalator_frac, anniversaries)
    price = escalated(terms.usd_per_gpu_hour, terms.escalator_frac, anniversaries)
    due_usd = reserved_price * reserved_h
    upfront_usd = np.zeros_like(due_usd)
    begun = np.flatnonzero(hours > 0)
    if begun.size:
        upfront_usd[begun[0]] = terms.upfront_frac * due_usd.sum()
    return {
        "on demand": price * np.maximum(used_h - reserved_h, 0.0),
        "reserved": due_usd * (1.0 - terms.upfront_frac),
        "reserved, paid upfront": upfront_usd,
        "credit for hours not served": -terms.credit_frac * reserved_price * np.minimum(unserved_h, reserved_h),
    }
