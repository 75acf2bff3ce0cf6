"""Values of a site file: a bare number, or a number with its source and date; bounds with plain messages."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from hardware_profiles.errors import shown

ASSUMPTION = "assumption"


class Model(BaseModel):
    """Base of every table of a site file: frozen, and an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(Model):
    """A number with its source and date; without a source it is printed as an assumption."""

    value: Annotated[float, Field(strict=True)]
    source: str = ASSUMPTION
    date: str = "unknown"


def _from_bare(given: Any) -> Any:
    if isinstance(given, bool) or not isinstance(given, int | float | dict | Value):
        raise ValueError(  # noqa: TRY004 (pydantic takes a ValueError)
            f"expected a number or {{value, source, date}}, got {shown(given)}"
        )
    return given if isinstance(given, dict | Value) else {"value": given}


def _bounded(expected: str, holds: Callable[[float], bool]) -> AfterValidator:
    def check(given: Value) -> Value:
        if not (math.isfinite(given.value) and holds(given.value)):
            raise ValueError(f"expected {expected}, got {given.value:g}")
        return given

    return AfterValidator(check)


_BARE = BeforeValidator(_from_bare)
Number = Annotated[Value, _BARE, _bounded("a finite number", math.isfinite)]
NotNegative = Annotated[Value, _BARE, _bounded("a number of 0 or more", lambda value: value >= 0)]
Positive = Annotated[Value, _BARE, _bounded("a number above 0", lambda value: value > 0)]
Percent = Annotated[Value, _BARE, _bounded("a share of 0 to 100 per cent", lambda value: 0 <= value <= 100)]
LossPercent = Annotated[Value, _BARE, _bounded("a share of 0 to below 100 per cent", lambda value: 0 <= value < 100)]
GrowthPercent = Annotated[Value, _BARE, _bounded("a growth above -100 per cent", lambda value: value > -100)]
Pue = Annotated[Value, _BARE, _bounded("a PUE of 1 to 10", lambda value: 1 <= value <= 10)]
Count = Annotated[
    Value, _BARE, _bounded("a whole number of 1 or more", lambda value: value >= 1 and value == int(value))
]
Hour = Annotated[int, Field(ge=0, le=23)]
Fraction24 = Annotated[int, Field(ge=0, le=24)]


class Numbers(Model):
    """A list of numbers with its source and date."""

    values: tuple[Annotated[float, Field(strict=True, allow_inf_nan=False)], ...]
    source: str = ASSUMPTION
    date: str = "unknown"


def _from_list(given: Any) -> Any:
    if not isinstance(given, list | tuple | dict | Numbers):
        raise ValueError(  # noqa: TRY004 (pydantic takes a ValueError)
            f"expected a list of numbers or {{values, source, date}}, got {shown(given)}"
        )
    return given if isinstance(given, dict | Numbers) else {"values": given}


Values = Annotated[Numbers, BeforeValidator(_from_list)]


def assumed(value: float) -> Value:
    """Default of a key: a value that is printed as an assumption."""
    return Value(value=value)


# Keys without a number that a result rests on too, and where their content comes from.
WORDS = {
    "timezone": ASSUMPTION,
    "start": ASSUMPTION,
    "device": "profile or result",
    "modes": "profile or result",
    "rated_device": "profile or result",
    "figure": "published figure",
    "payout": ASSUMPTION,
    "demand_profile": ASSUMPTION,
    "tenant_pays_energy": ASSUMPTION,
    "months": ASSUMPTION,
    "weekdays": ASSUMPTION,
    "from_hour": ASSUMPTION,
    "to_hour": ASSUMPTION,
    "hours": ASSUMPTION,
    "boundary": ASSUMPTION,
    "power_kind": ASSUMPTION,
    "token_basis": ASSUMPTION,
    "lengths": ASSUMPTION,
    "latency_limit": ASSUMPTION,
}


class Assumption(BaseModel):
    """One value a result rests on, as it is printed: key, value, source and date."""

    model_config = ConfigDict(frozen=True)

    key: str
    value: float | str
    source: str
    date: str


def assumptions_of(model: BaseModel, prefix: str = "") -> Iterator[Assumption]:
    """Every sourced value under a model, in the order of the file, defaults included."""
    for name in type(model).model_fields:
        given = getattr(model, name)
        if isinstance(given, tuple) and given and isinstance(given[0], int | float | str | dt.date):
            given = ", ".join(f"{item}" for item in given) if len(given) < 32 else f"{len(given)} numbers"
        items = enumerate(given) if isinstance(given, tuple) else ((None, given),)
        for index, item in items:
            label = "" if index is None else f"[{getattr(item, 'name', index)}]"
            yield from _assumption(item, f"{prefix}{name}{label}")


def _assumption(item: object, key: str) -> Iterator[Assumption]:
    field = key.rpartition(".")[2].partition("[")[0]
    if isinstance(item, str | bool | int | float | dt.date) and field in WORDS:
        yield Assumption(key=key, value=str(item), source=WORDS[field], date="unknown")
    elif isinstance(item, Value):
        yield Assumption(key=key, value=item.value, source=item.source, date=item.date)
    elif isinstance(item, Numbers):
        text = ", ".join(f"{value:g}" for value in item.values)
        yield Assumption(key=key, value=text, source=item.source, date=item.date)
    elif isinstance(item, BaseModel) and "file" in type(item).model_fields:
        named = {name: str(getattr(item, name)) for name in ("file", "column", "source", "date")}
        yield Assumption(
            key=key, value=f"{named['file']}, column {named['column']}", source=named["source"], date=named["date"]
        )
    elif isinstance(item, BaseModel):
        yield from assumptions_of(item, f"{key}.")
