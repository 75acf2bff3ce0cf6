"""The plan: what a site's dispatch does in each step, and all that is needed to judge it again at another price."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "perwatt.plan/1"

Series = tuple[float, ...]
"""A value of each step."""


@dataclass(frozen=True)
class PlanBlock:
    """A block of the site, whose units are switched."""

    name: str
    product: str  # mining or inference
    nameplate_mw: float  # [MW device] of all devices at full power
    ceiling_mw: Series  # [MW device] the same, at the ambient temperature of each step
    start_usd_per_mwh: float | None  # [USD/MWh meter] cost of a start over the least time on or off; None without one
    is_on: tuple[bool, ...]  # whether a block with start costs is on; empty without one


@dataclass(frozen=True)
class PlanPart:
    """A row of the dispatch: a mode, or a kind of work, of a block. Its powers are expected values at the meter."""

    block: int  # index into Plan.blocks
    part: str  # which part of the block this is; empty where the block is one part
    is_fixed: bool  # drawn before all other work, whatever the price
    is_firm: bool  # whether a tenant has a right to it
    passes_energy: bool  # whether the tenant pays for power
    planned_mw: Series  # [MW meter]
    available_mw: Series  # [MW meter] that the part can use
    worth_usd_per_mwh: Series  # [USD/MWh meter] without the power that a tenant pays for


@dataclass(frozen=True)
class Plan:
    """An immutable plan of some steps of a site. Prices and powers are at the meter; powers are expected values."""

    site: str
    start_s: int  # [s, Unix] start of the first step
    step_s: int  # [s] length of a step
    availability_frac: float  # of the site's power: expected values over what is there
    contract_mw: float  # take-or-pay power
    spot_usd_per_mwh: Series  # the price that the plan assumes
    resale_usd_per_mwh: Series  # price of contracted power that is resold
    adder_usd_per_mwh: Series
    forgone_usd_per_mwh: Series  # curtailment credit that drawn power forgoes, or a peak charge that it risks
    price_usd_per_mwh: Series  # the price of power that decides
    room_mw: Series  # that may be drawn: the interconnect's limit, and the peak of the month that the plan keeps
    bound: tuple[str, ...]  # code of what limits it
    battery_mw: Series  # net power of a battery, as planned
    may_export: bool  # whether the battery may feed the grid
    mining_meter_per_device: Series  # meter MW per device MW
    gpu_meter_per_device: Series
    blocks: tuple[PlanBlock, ...]
    parts: tuple[PlanPart, ...]

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.spot_usd_per_mwh)

    @property
    def end_s(self) -> int:
        """End of the last step [s, Unix]."""
        return self.start_s + self.steps * self.step_s

    @property
    def block_names(self) -> tuple[str, ...]:
        """Names of the blocks."""
        return tuple(block.name for block in self.blocks)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal digits."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def step_at(self, at_s: float) -> int | None:
        """Return the step that contains a time [s, Unix]; None outside the plan."""
        step = int((at_s - self.start_s) // self.step_s)
        return step if 0 <= step < self.steps else None

    def ratio(self, block: PlanBlock, step: int) -> float:
        """Return the meter MW that one device MW of a block takes in a step."""
        return (self.mining_meter_per_device if block.product == "mining" else self.gpu_meter_per_device)[step]

    def planned_mw(self, step: int) -> float:
        """Return the planned power of all blocks in a step [MW meter]."""
        return sum(part.planned_mw[step] for part in self.parts)

    def to_json(self) -> bytes:
        """Return the plan as canonical JSON: equal plans give equal bytes."""
        document = {**_shallow(self), "schema": SCHEMA}
        document["blocks"] = [_shallow(block) for block in self.blocks]
        document["parts"] = [_shallow(part) for part in self.parts]
        return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode()


def plan_from_json(content: bytes, place: str = "plan") -> Plan:
    """Return the plan of a canonical JSON, equal to the one that was written.

    Parameters
    ----------
    content
        Bytes of `Plan.to_json`.
    place
        File that they come from, for messages.

    Raises
    ------
    InputError
        The bytes are not those of a plan.
    """
    try:
        document = json.loads(content)
    except ValueError:
        raise InputError.at(place, expected="a plan as JSON", got=content[:40]) from None
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        raise InputError.at(place, "schema", expected=SCHEMA, got=shown(content[:40]))
    try:
        blocks = tuple(PlanBlock(**_tuples(block)) for block in document.pop("blocks"))
        parts = tuple(PlanPart(**_tuples(part)) for part in document.pop("parts"))
        plan = Plan(blocks=blocks, parts=parts, **_tuples(document))
        same = plan.to_json() == content
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise InputError.at(place, expected="the keys of a plan", got=shown(str(error))) from None
    if not same:
        raise InputError.at(place, expected="a plan in canonical JSON", got="other bytes for the same content")
    return plan


def _shallow(part: Plan | PlanBlock | PlanPart) -> dict[str, Any]:
    return {field.name: getattr(part, field.name) for field in fields(part)}


def _tuples(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in document.items()}
