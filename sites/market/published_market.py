"""Dated market figures that put a yield in perspective: rents of GPUs, the volume of a token market, miner prices."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class GpuRent:
    """The range of rents of one type of GPU."""

    gpu: str  # part of the GPU's name
    low_usd_per_gpu_hour: float
    high_usd_per_gpu_hour: float
    terms: str  # on demand, or the length of the contract
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class TokenMarket:
    """The volume of a named market for tokens."""

    name: str
    tokens_per_day: float  # [token/day] input and output together
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class MinerPrice:
    """The price of miners of one efficiency class."""

    j_per_th: float  # [J/TH]
    usd_per_th_s: float  # [USD per TH/s]
    source: str
    date: str


@cache
def _figures() -> dict[str, Any]:
    return tomllib.loads(resources.files("sites.data").joinpath("market.toml").read_text(encoding="utf-8"))


def gpu_rent(device: str) -> GpuRent | None:
    """Return the rent of a GPU by the name of its device, or None if no rent is bundled for it."""
    rents = [GpuRent(**row) for row in _figures()["gpu_rent"]]
    return max(
        (rent for rent in rents if re.search(rf"\b{rent.gpu}\b", device)), key=lambda rent: len(rent.gpu), default=None
    )


def token_market() -> TokenMarket:
    """Return the bundled token market."""
    return TokenMarket(**_figures()["token_market"])


def miner_prices() -> tuple[MinerPrice, ...]:
    """Return the bundled prices of miners, the most efficient class first."""
    return tuple(MinerPrice(**row) for row in _figures()["miner_price"])


def estimated_usd_per_th_s(j_per_th: float) -> float | None:
    """Return the estimated price of a miner [USD per TH/s] from its efficiency [J/TH].

    The logarithm of the price is interpolated between the two neighbouring classes; outside of all classes the price is
    unknown (None).
    """
    for better, worse in pairwise(miner_prices()):
        if better.j_per_th <= j_per_th <= worse.j_per_th:
            share = (j_per_th - better.j_per_th) / (worse.j_per_th - better.j_per_th)
            return better.usd_per_th_s * math.pow(worse.usd_per_th_s / better.usd_per_th_s, share)
    return None
