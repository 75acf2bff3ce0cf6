"""The types of the values in a site file: bare numbers, or numbers with a source and a date, within a range."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from hardware_profiles.dates import partial_date
from hardware_profiles.errors import shown
from sites.file import ranges
from sites.model import Assumption

ASSUMPTION = "assumption"

SourceDate = Annotated[str, AfterValidator(partial_date())]
Name = Annotated[str, Field(min_length=1, max_length=80)]


class Model(BaseModel):
    """The base of every table of a site file: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(Model):
    """A number with its source and date; a number without a source is printed as an assumption."""

    value: Annotated[float, Field(strict=True)]
    source: str = ASSUMPTION
    date: SourceDate = "unknown"


def _from_bare(content: Any) -> Any:
    if isinstance(content, bool) or not isinstance(content, int | float | dict | Value):
        raise ValueError(  # noqa: TRY004 (pydantic takes a ValueError)
            f"expected a number or {{value, source, date}}, got {shown(content)}"
        )
    return content if isinstance(content, dict | Value) else {"value": content}


def _checked(expected: str, holds: Callable[[float], bool]) -> AfterValidator:
    def check(number: Value) -> Value:
        if not (math.isfinite(number.value) and holds(number.value)):
            raise ValueError(f"expected {expected}, got {number.value:g}")
        return number

    return AfterValidator(check)


_BARE = BeforeValidator(_from_bare)


def within(limits: ranges.Range) -> tuple[BeforeValidator, AfterValidator]:
    """Return the validators of a Value within a range."""
    return _BARE, _checked(f"a number of {limits}", limits.__contains__)


def _whole(value: float) -> bool:
    return value in ranges.COUNT and value == int(value)


def _dated(content: Any) -> Any:
    if not isinstance(content, dt.date) and "-" not in str(content)[1:]:  # a number is read as seconds since 1970
        raise ValueError(f"expected a date or time, got {shown(content)}")
    return content


def _in_time(when: dt.date) -> dt.date:
    day = when.date() if isinstance(when, dt.datetime) else when
    if not ranges.FIRST_DAY <= day <= ranges.LAST_DAY:
        raise ValueError(f"expected a day of {ranges.FIRST_DAY} to {ranges.LAST_DAY}, got {day}")
    return when


Percent = Annotated[Value, _BARE, _checked("a share of 0 to 100 per cent", ranges.SHARE.__contains__)]
LossPercent = Annotated[Value, _BARE, _checked("a share of 0 to below 100 per cent", lambda value: 0 <= value < 100)]
Pue = Annotated[Value, _BARE, _checked("a PUE of 1 to 10", ranges.PUE.__contains__)]
Count = Annotated[Value, _BARE, _checked("a whole number of 1 to 100,000,000", _whole)]
Megawatts = Annotated[Value, *within(ranges.MEGAWATTS)]
MegawattsOrNone = Annotated[Value, *within(ranges.MEGAWATTS_OR_NONE)]
Hours = Annotated[Value, *within(ranges.HOURS)]
PeakMinutes = Annotated[Value, *within(ranges.PEAK_MINUTES)]
Celsius = Annotated[Value, *within(ranges.CELSIUS)]
Swing = Annotated[Value, *within(ranges.SWING)]
PuePerC = Annotated[Value, *within(ranges.PUE_PER_C)]
Price = Annotated[Value, *within(ranges.PRICE)]
PriceOrNone = Annotated[Value, *within(ranges.PRICE_OR_NONE)]
Money = Annotated[Value, *within(ranges.MONEY)]
PerUsd = Annotated[Value, *within(ranges.PER_USD)]
Usd = Annotated[Value, *within(ranges.USD)]
BtcUsd = Annotated[Value, *within(ranges.BTC_USD)]
Fees = Annotated[Value, *within(ranges.FEES)]
Difficulty = Annotated[Value, *within(ranges.DIFFICULTY)]
Growth = Annotated[Value, *within(ranges.GROWTH)]
Overhead = Annotated[Value, *within(ranges.OVERHEAD)]
Penalty = Annotated[Value, *within(ranges.PENALTY)]
Fade = Annotated[Value, *within(ranges.FADE)]
Age = Annotated[Value, *within(ranges.AGE)]
Tokens = Annotated[Value, *within(ranges.TOKENS)]
Watts = Annotated[Value, *within(ranges.WATTS)]
Carbon = Annotated[Value, *within(ranges.CARBON)]
# For keys without a range of their own: any number that the sums can hold.
NotNegative = Annotated[Value, _BARE, _checked("a number of 0 or more, to 1e18", ranges.MONEY.__contains__)]
Positive = Annotated[Value, _BARE, _checked("a number above 0, to 1e18", lambda value: 1e-18 <= value <= 1e18)]
Day = Annotated[dt.date, BeforeValidator(_dated), AfterValidator(_in_time)]
When = Annotated[dt.datetime | dt.date, BeforeValidator(_dated), AfterValidator(_in_time)]
Hour = Annotated[int, Field(ge=0, le=23)]
EndHour = Annotated[int, Field(ge=0, le=24)]


class Numbers(Model):
    """A list of numbers with its source and date."""

    values: tuple[Annotated[float, Field(strict=True, allow_inf_nan=False)], ...]
    source: str = ASSUMPTION
    date: SourceDate = "unknown"


def _from_list(content: Any) -> Any:
    if not isinstance(content, list | tuple | dict | Numbers):
        raise ValueError(  # noqa: TRY004 (pydantic takes a ValueError)
            f"expected a list of numbers or {{values, source, date}}, got {shown(content)}"
        )
    return content if isinstance(content, dict | Numbers) else {"values": content}


Values = Annotated[Numbers, BeforeValidator(_from_list)]


def one_of(model: object, keys: tuple[str, ...]) -> None:
    """Raise ValueError unless a table has exactly one of the keys."""
    present = [key for key in keys if getattr(model, key) is not None]
    if len(present) != 1:
        raise ValueError(f"expected one of {', '.join(keys)}, got {' and '.join(present) or 'none'}")


def assumed(value: float) -> Value:
    """Return the default of a key, which is printed as an assumption."""
    return Value(value=value)


# Keys that hold no number but influence a result, and the source printed for each.
WORDS = {
    "timezone": ASSUMPTION,
    "currency": ASSUMPTION,
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
    "difficulty_file": "table of the site",
    "boundary": ASSUMPTION,
    "power_kind": ASSUMPTION,
    "token_basis": ASSUMPTION,
    "lengths": ASSUMPTION,
    "latency_limit": ASSUMPTION,
}


def assumptions_of(model: BaseModel, prefix: str = "") -> Iterator[Assumption]:
    """Yield every value of a table and its sub-tables in the order of the file, defaults included."""
    for name in type(model).model_fields:
        content = getattr(model, name)
        if isinstance(content, tuple) and content and isinstance(content[0], int | float | str | dt.date):
            content = ", ".join(f"{item}" for item in content) if len(content) < 32 else f"{len(content)} numbers"
        items = enumerate(content) if isinstance(content, tuple) else ((None, content),)
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
