"""Values of a site file: a bare number, or a number with its source and date; bounds with plain messages."""

from __future__ import annotations

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
        raise ValueError(f"expected a number or {{value, source, date}}, got {shown(given)}")
    return given if isinstance(given, dict | Value) else {"value": given}


def _bounded(expected: str, holds: Callable[[float], bool]) -> AfterValidator:
    def check(given: Value) -> Value:
        if not (math.isfinite(given.value) and holds(given.value)):
            raise ValueError(f"expected {expected}, got {given.value:g}")
        return given

    return AfterValidator(check)


_BARE = BeforeValidator(_from_bare)
Number = Annotated[Value, _BARE, _bounded("a finite number", lambda value: True)]
NotNegative = Annotated[Value, _BARE, _bounded("a number of 0 or more", lambda value: value >= 0)]
Positive = Annotated[Value, _BARE, _bounded("a number above 0", lambda value: value > 0)]
Percent = Annotated[Value, _BARE, _bounded("a share of 0 to 100 per cent", lambda value: 0 <= value <= 100)]
LossPercent = Annotated[Value, _BARE, _bounded("a share of 0 to below 100 per cent", lambda value: 0 <= value < 100)]
GrowthPercent = Annotated[Value, _BARE, _bounded("a growth above -100 per cent", lambda value: value > -100)]
Pue = Annotated[Value, _BARE, _bounded("a PUE of 1 or more", lambda value: 1 <= value <= 10)]
Count = Annotated[
    Value, _BARE, _bounded("a whole number of 1 or more", lambda value: value >= 1 and value == int(value))
]


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
        key = f"{prefix}{name}"
        if isinstance(given, Value):
            yield Assumption(key=key, value=given.value, source=given.source, date=given.date)
        elif isinstance(given, BaseModel):
            yield from assumptions_of(given, f"{key}.")
        elif isinstance(given, tuple | list):
            for index, item in enumerate(given):
                if isinstance(item, Value):
                    yield Assumption(key=f"{key}[{index}]", value=item.value, source=item.source, date=item.date)
                elif isinstance(item, BaseModel):
                    label = getattr(item, "name", None) or index
                    yield from assumptions_of(item, f"{key}[{label}].")
