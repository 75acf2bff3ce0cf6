"""The types of the values in a site file: bare numbers, or numbers with a source and a date, within a range."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from hardware_profiles.dates import DATE_PATTERN, partial_date
from hardware_profiles.errors import shown
from hardware_profiles.tables import Table
from sites.file import ranges
from sites.model import Assumption
from sites.plausible.doubts import FileNumber, likely_refused

ASSUMPTION = "assumption"

MONTHS = 12
SourceDate = Annotated[str, AfterValidator(partial_date()), WithJsonSchema({"type": "string", "pattern": DATE_PATTERN})]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Number = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]


class Value(BaseModel):
    """A number with its source and date; a number without a source is printed as an assumption."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Number
    source: str = ASSUMPTION
    date: SourceDate = "unknown"


def _from_bare(content: Any) -> Any:
    if isinstance(content, bool) or not isinstance(content, int | float | dict | Value):
        raise ValueError(  # noqa: TRY004 (pydantic takes a ValueError)
            f"expected a number or {{value, source, date}}, got {shown(content)}"
        )
    return content if isinstance(content, dict | Value) else {"value": content}


def _quantity(
    expected: str, holds: Callable[[float], bool], key: str = "", **limits: float
) -> tuple[BeforeValidator, AfterValidator, WithJsonSchema]:
    """Return the validators of a Value and their JSON Schema, whose limits say what `holds` checks.

    A refusal says the likely cause by the plausible band of `key`.
    """

    def check(number: Value) -> Value:
        if not (math.isfinite(number.value) and holds(number.value)):
            raise ValueError(f"expected {expected}, got {number.value:g}{likely_refused(key, number.value, holds)}")
        return number

    number = {"type": "number", **limits}
    keys = {"value": number, "source": {"type": "string"}, "date": {"type": "string", "pattern": DATE_PATTERN}}
    table = {"type": "object", "properties": keys, "required": ["value"], "additionalProperties": False}
    schema = WithJsonSchema({"description": expected, "anyOf": [number, table]})
    return BeforeValidator(_from_bare), AfterValidator(check), schema


def within(limits: ranges.Range, key: str = "") -> tuple[BeforeValidator, AfterValidator, WithJsonSchema]:
    """Return the validators of a Value within a range, and their JSON Schema; `key` as in `_quantity`."""
    return _quantity(f"a number of {limits}", limits.__contains__, key, minimum=limits.low, maximum=limits.high)


def whole_within(limits: ranges.Range) -> tuple[BeforeValidator, AfterValidator, WithJsonSchema]:
    """Return the validators of a whole number within a range, and their JSON Schema."""
    keys = {"minimum": limits.low, "maximum": limits.high, "multipleOf": 1}
    return _quantity(f"a whole number of {limits}", lambda value: value in limits and value % 1 == 0, "", **keys)


def whole(content: Any) -> int:
    """Return a whole number, also one that is written as 2.0; raise ValueError for anything else."""
    if isinstance(content, bool) or not isinstance(content, int | float) or content % 1 != 0:
        raise ValueError(f"expected a whole number, got {shown(content)}")
    return int(content)


def _dated(content: Any) -> Any:
    if not isinstance(content, dt.date) and "-" not in str(content)[1:]:  # a number is read as seconds since 1970
        raise ValueError(f"expected a date or time, got {shown(content)}")
    return content


def _in_time(when: dt.date) -> dt.date:
    day = when.date() if isinstance(when, dt.datetime) else when
    if not ranges.FIRST_DAY <= day <= ranges.LAST_DAY:
        raise ValueError(f"expected a day of {ranges.FIRST_DAY} to {ranges.LAST_DAY}, got {day}")
    return when


Percent = Annotated[
    Value, *_quantity("a share of 0 to 100 per cent", ranges.SHARE.__contains__, minimum=0, maximum=100)
]
SomePercent = Annotated[Value, *within(ranges.AVAILABILITY)]
LossPercent = Annotated[
    Value,
    *_quantity("a share of 0 to below 100 per cent", lambda value: 0 <= value < 100, minimum=0, exclusiveMaximum=100),
]
Pue = Annotated[
    Value, *_quantity("a PUE of 1 to 10", ranges.PUE.__contains__, "cooling.gpu_pue", minimum=1, maximum=10)
]
Count = Annotated[Value, *whole_within(ranges.COUNT)]
Megawatts = Annotated[Value, *within(ranges.MEGAWATTS)]
MegawattsOrNone = Annotated[Value, *within(ranges.MEGAWATTS_OR_NONE)]
Calls = Annotated[Value, *within(ranges.CALLS)]
Hours = Annotated[Value, *within(ranges.HOURS)]
WholeDays = Annotated[Value, *whole_within(ranges.DAYS)]
PeakMinutes = Annotated[Value, *within(ranges.PEAK_MINUTES)]
Celsius = Annotated[Value, *within(ranges.CELSIUS, "climate.mining_stop_above_c")]
Swing = Annotated[Value, *within(ranges.SWING)]
PuePerC = Annotated[Value, *within(ranges.PUE_PER_C)]
Price = Annotated[Value, *within(ranges.PRICE)]
PriceOrNone = Annotated[Value, *within(ranges.PRICE_OR_NONE)]
Money = Annotated[Value, *within(ranges.MONEY)]
PerUsd = Annotated[Value, *within(ranges.PER_USD)]
Usd = Annotated[Value, *within(ranges.USD)]
BtcUsd = Annotated[Value, *within(ranges.BTC_USD)]
Fees = Annotated[Value, *within(ranges.FEES)]
FeesBtc = Annotated[Value, *within(ranges.FEES_BTC, "market.fees_btc_per_block")]
Difficulty = Annotated[Value, *within(ranges.DIFFICULTY)]
Growth = Annotated[Value, *within(ranges.GROWTH)]
Overhead = Annotated[Value, *within(ranges.OVERHEAD)]
Penalty = Annotated[Value, *within(ranges.PENALTY)]
Fade = Annotated[Value, *within(ranges.FADE)]
Age = Annotated[Value, *within(ranges.AGE)]
Life = Annotated[Value, *within(ranges.LIFE)]
Tokens = Annotated[Value, *within(ranges.TOKENS)]
Watts = Annotated[Value, *within(ranges.WATTS)]
Carbon = Annotated[Value, *within(ranges.CARBON)]
# For keys without a range of their own: any number that the sums can hold.
NotNegative = Annotated[
    Value, *_quantity("a number of 0 or more, to 1e18", ranges.MONEY.__contains__, minimum=0, maximum=1e18)
]
Positive = Annotated[
    Value, *_quantity("a number above 0, to 1e18", lambda value: 1e-18 <= value <= 1e18, minimum=1e-18, maximum=1e18)
]
_DAY = r"(2009|20[1-9]\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK = r"[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?"
Day = Annotated[
    dt.date,
    BeforeValidator(_dated),
    AfterValidator(_in_time),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{_DAY}$", "description": "a date YYYY-MM-DD"}),
]
When = Annotated[
    dt.datetime | dt.date,
    BeforeValidator(_dated),
    AfterValidator(_in_time),
    WithJsonSchema({"type": "string", "pattern": f"^{_DAY}({_CLOCK})?$", "description": "a date or time"}),
]
Hour = Annotated[int, Field(ge=0, le=23), BeforeValidator(whole)]
EndHour = Annotated[int, Field(ge=0, le=24), BeforeValidator(whole)]
MonthNumber = Annotated[int, Field(ge=1, le=12), BeforeValidator(whole)]  # 1 is January
Weekday = Annotated[int, Field(ge=0, le=6), BeforeValidator(whole)]  # 0 is Monday


FileName = Annotated[str, Field(min_length=1, max_length=4096)]  # the longest path on Linux


class SeriesTable(Table):
    """A file with a series of time, its path relative to the site file."""

    file: FileName
    source: str = "assumption"
    date: SourceDate = "unknown"

    @property
    def described(self) -> str:
        """The file and what is read of it, as the list of assumptions shows them."""
        return self.file


class HourlyTable(SeriesTable):
    """A column of an hourly file (CSV or Parquet), its path relative to the site file."""

    column: Name

    @property
    def described(self) -> str:
        """The file and its column, as the list of assumptions shows them."""
        return f"{self.file}, column {self.column}"


class Numbers(BaseModel):
    """A list of numbers with its source and date."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    values: tuple[Number, ...]
    source: str = ASSUMPTION
    date: SourceDate = "unknown"


def _from_list(content: Any) -> Any:
    if not isinstance(content, list | tuple | dict | Numbers):
        raise ValueError(  # noqa: TRY004 (pydantic takes a ValueError)
            f"expected a list of numbers or {{values, source, date}}, got {shown(content)}"
        )
    return content if isinstance(content, dict | Numbers) else {"values": content}


def by_month(limits: ranges.Range) -> tuple[BeforeValidator, AfterValidator, WithJsonSchema]:
    """Return the validators of Numbers that are twelve numbers within a range, and their JSON Schema."""

    def check(numbers: Numbers) -> Numbers:
        if len(numbers.values) != MONTHS:
            raise ValueError(f"expected {MONTHS} numbers, one for each month, got {len(numbers.values)}")
        for value in numbers.values:
            if value not in limits:
                raise ValueError(f"expected numbers of {limits}, got {value:g}")
        return numbers

    number = {"type": "number", "minimum": limits.low, "maximum": limits.high}
    numbers = {"type": "array", "items": number, "minItems": MONTHS, "maxItems": MONTHS}
    keys = {"values": numbers, "source": {"type": "string"}, "date": {"type": "string", "pattern": DATE_PATTERN}}
    table = {"type": "object", "properties": keys, "required": ["values"], "additionalProperties": False}
    schema = WithJsonSchema({"description": f"12 numbers of {limits}", "anyOf": [numbers, table]})
    return BeforeValidator(_from_list), AfterValidator(check), schema


def assumed(value: float) -> Value:
    """Return the default of a key, which is printed as an assumption."""
    return Value(value=value)


WORDS = {  # keys that hold no number but influence a result, and the source printed for each
    "timezone": ASSUMPTION,
    "currency": ASSUMPTION,
    "start": ASSUMPTION,
    "end": ASSUMPTION,
    "device": "profile or result",
    "modes": "profile or result",
    "rated_device": "profile or result",
    "figure": "published figure",
    "payout": ASSUMPTION,
    "demand_profile": ASSUMPTION,
    "price_class": ASSUMPTION,
    "tenant_pays_energy": ASSUMPTION,
    "may_export": ASSUMPTION,
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
    elif isinstance(item, SeriesTable):
        yield Assumption(key=key, value=item.described, source=item.source, date=item.date)
    elif isinstance(item, BaseModel):
        yield from assumptions_of(item, f"{key}.")


def numbers_of(model: BaseModel, key: str = "", field: str = "") -> Iterator[FileNumber]:
    """Yield every number of a table and its sub-tables with its key, as `assumptions_of` writes it, and its field."""
    for name in type(model).model_fields:
        content = getattr(model, name)
        items = enumerate(content) if isinstance(content, tuple) else ((None, content),)
        for index, item in items:
            label = "" if index is None else f"[{getattr(item, 'name', index)}]"
            own = f"{key}{name}{label}"
            if isinstance(item, Value):
                yield FileNumber(own, f"{field}{name}", item.value)
            elif isinstance(item, Numbers):
                yield from (FileNumber(f"{own}[{at}]", f"{field}{name}", value) for at, value in enumerate(item.values))
            elif isinstance(item, BaseModel):
                yield from numbers_of(item, f"{own}.", f"{field}{name}.")
