"""The watts of one GPU, between those without work and its power limit."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.inference.engine import Holdout
from bench.inference.power.activity import Activity
from bench.inference.power.classes import Served
from hardware_profiles.reading import read_toml

DATA = Path(__file__).parents[1] / "data"
OWN = ("memory_frac", "product_frac", "half_width")
"""Constants that are fitted for each family."""
SHARED = ("wait_ratio", "host_wait_frac", "padding_frac", "grouped_frac")
"""Constants that are fitted over all families."""
MOST_FRAC = 0.97
"""[-] Power of a GPU that its limit holds back, over the limit (the most of the rows of B200: 0.976)."""


@dataclass(frozen=True, slots=True)
class Family:
    """The constants of a family of devices, as shares of the power limit."""

    name: str
    devices: tuple[str, ...]  # slugs in the catalogue
    tested: tuple[str, ...]  # models whose rows with watts were predicted
    idle_frac: float  # [-] power with a context and without work, over the limit
    memory_frac: float  # [-] share of the range above it that reading memory with narrow kernels asks for, fitted
    product_frac: float  # [-] the same of products, fitted
    half_width: float  # elements of the residual stream at which other kernels draw half of the range, fitted
    wait_ratio: float  # time in which a GPU waits for others over that of its all-reduces; this and the next over all
    host_wait_frac: float  # [-] share of the host's time in which a GPU waits
    padding_frac: float  # [-] share of the range that products of filled rows of tiles ask for
    grouped_frac: float  # [-] share of the range that grouped kernels of fp8 ask for
    holdouts: dict[str, Holdout]  # by class, each model predicted with constants fitted on the other models
    estimate_ln: float | None = None  # assumed spread where no row was published: the watts are an estimate

    def holdout(self, served: Served) -> Holdout | None:
        """Return the errors of a class of models, or None if no row of the class was published and none is assumed."""
        if self.estimate_ln is not None:
            mean_ln = self.estimate_ln * math.sqrt(2.0 / math.pi)  # of a normal distribution
            return Holdout(math.expm1(mean_ln), math.expm1(2.0 * self.estimate_ln), self.estimate_ln, 0)
        return self.holdouts.get(served.model_class)


def family_of(slug: str) -> Family | None:
    """Return the family of a device, or None if no watts of its family were published."""
    return next((family for family in families().values() if slug in family.devices), None)


@cache
def families() -> dict[str, Family]:
    """Return all families by name."""
    return {
        name: Family(
            name=name,
            devices=tuple(table["devices"]),
            tested=tuple(table["tested"]),
            idle_frac=table["idle_frac"]["value"],
            **{key: table[key]["value"] for key in OWN},
            **{key: table.get(key, power_table("shared")[key])["value"] for key in SHARED},
            holdouts={key: Holdout(**entry) for key, entry in table.get("holdout", {}).items()},
            estimate_ln=table["estimate_ln"]["value"] if "estimate_ln" in table else None,
        )
        for name, table in power_table("family").items()
    }


@cache
def power_table(name: str) -> dict[str, Any]:
    """Return a table of data/power.toml."""
    table: dict[str, Any] = read_toml(DATA / "power.toml")[name]
    return table


def gpu_watts(family: Family, limit_w: float, activity: Activity) -> float:
    """Return the power of one GPU at full clock [W].

    Parameters
    ----------
    family
        Constants of the device.
    limit_w
        Power limit of the device as it ships [W].
    activity
        What the GPU does.

    Notes
    -----
    Reading and products ask for more than the limit allows in many loads, which then holds the GPU. Other kernels draw
    more the wider they are, and so does reading, if it alone asks for less than the limit. A GPU that waits for others
    in an all-reduce or for the host draws as without work. Grouped kernels of fp8 in vLLM draw the same at every width.
    """
    filled = activity.width / (activity.width + family.half_width)
    reading = family.memory_frac + max(0.0, 1.0 - family.memory_frac) * filled
    waits = activity.late_frac + family.host_wait_frac * activity.host_frac + family.wait_ratio * activity.link_frac
    busy = max(0.0, activity.rest_frac - waits)
    grouped = 0.0 if activity.start_frac is None else max(0.0, busy - activity.start_frac)
    used = activity.product_frac * family.product_frac + activity.memory_frac * reading
    used += activity.padding_frac * family.padding_frac
    used += (busy - grouped) * filled + grouped * family.grouped_frac
    return limit_w * min(MOST_FRAC, family.idle_frac + (1.0 - family.idle_frac) * used)
