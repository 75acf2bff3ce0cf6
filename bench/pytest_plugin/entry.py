"""The entry `extra_info["perwatt"]` of a benchmark: what a test states of its work, and what was measured.

All other keys of `extra_info` belong to the author of the test and are never read.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from bench.results.part import NonNegative, Positive
from bench.results.record import Metric, Tier
from hardware_profiles.errors import InputError
from hardware_profiles.provenance import Boundary
from hardware_profiles.reading import validate

KEY = "perwatt"
SCHEMA = "perwatt.pytest/1"

Text = Annotated[str, Field(min_length=1)]


class EntryEnergy(BaseModel):
    """The energy of one meter over all rounds, as the plugin writes it."""

    model_config = ConfigDict(frozen=True)

    meter: str
    boundary: Boundary
    tier: Tier | str
    joules_per_unit: Positive | None = None  # [J/unit]


class Entry(BaseModel):
    """The entry: the first five keys are for the author of a test, the others are written by perwatt."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    work: Annotated[Positive, Field(strict=True)] | None = (
        None  # [unit] of one call of the function under test; None counts calls
    )
    unit: Text = "call"
    workload: Text | None = None  # name of the workload; None uses the name of the test
    variant: str = ""
    version: Annotated[int, Field(ge=1, strict=True)] = 1  # of the workload

    schema_: str = Field(default=SCHEMA, alias="schema")
    rounds_s: list[tuple[FiniteFloat, FiniteFloat]] = []  # [s, monotonic]
    span_s: NonNegative | None = None  # [s]
    lead_s: NonNegative | None = None  # [s]
    work_per_round: Positive | None = None  # [unit]
    energy: list[EntryEnergy] = []
    metrics: dict[str, Metric] = {}  # figures of an exported result
    id: str | None = None  # of an exported result


def entry_of(extra: object, place: str) -> Entry:
    """Return the entry of a benchmark's `extra_info`; without one, a call is the unit of work.

    Raises
    ------
    InputError
        `extra_info` or its entry is not a table, or a key of the entry is unknown or wrong; the message names it after
        `place`.
    """
    if extra is not None and not isinstance(extra, Mapping):
        raise InputError.at(f"{place}.extra_info", expected="a table", got=extra)
    return validate(Entry, (extra or {}).get(KEY, {}), f"{place}.extra_info.{KEY}")
