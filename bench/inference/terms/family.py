"""A device family: the constants that GPUs of one generation have in common."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from hardware_profiles.reading import read_toml

FAMILIES = Path(__file__).parents[1] / "data" / "families.toml"
OTHER = "other"  # GPUs of no listed family
USUAL = "hopper"  # whose constants they take


@dataclass(frozen=True, slots=True)
class Family:
    """The constants of a device family."""

    name: str
    sustained_frac: dict[str, float]  # [-] rate of a large product over the dense peak, by dtype
    fp4_frac: float  # [-] the same for 4 bits
    product_ratio: float  # [-] what an engine reaches of the sustained rate, over that on Hopper
    state_frac: float  # [-] bandwidth over its peak, for recurrent states
    memory_frac: float  # [-] bandwidth over its peak, for weights
    cache_frac: float  # [-] the same for keys and values
    start_ratio: float  # [-] fixed times of kernels over those on Hopper
    grouped_bf16: float  # [-] rate of products of 16-bit experts over the sustained rate of dense ones in 16 bits
    grouped_fp8: float  # [-] the same of experts in fp8, over the same rate
    grouped_fp8_all: float  # [-] of experts in fp8, of kernels that run over all experts and rows
    grouped_fp4: float  # [-] of experts in NVFP4
    grouped_mxfp4: float  # [-] of experts in MXFP4
    link_frac: float  # [-] bandwidth of a collective operation over the link's
    link_latency_s: float  # [s] of a collective operation of a short message


def family_of(slug: str) -> Family:
    """Return the family of a GPU by its slug in the catalogue; no published row judges one of no listed family."""
    tables = read_families()
    name = next((name for name, table in tables.items() if slug in table["devices"]), None)
    return replace(family_named(USUAL), name=OTHER) if name is None else family_named(name)


@cache
def read_families() -> dict[str, Any]:
    """Return the tables of all families."""
    return read_toml(FAMILIES)


@cache
def family_named(name: str) -> Family:
    """Return a family by its name."""
    table = read_families()[name]
    values = {key: float(entry["value"]) for key, entry in table["constants"].items()}
    sustained = {key: float(entry["value"]) for key, entry in table["sustained_frac"].items()}
    return Family(name=name, sustained_frac=sustained, **values)
