"""Values of a site file: a bare number, or a number with its source and date; bounds with plain messages."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from hardware_profiles.dates import partial_date
from hardware_profiles.errors import shown
from sites.model import Assumption

ASSUMPTION = "assumption"

SourceDate = Annotated[str, AfterValidator(partial_date())]
Name = Annotated[str, Field(min_length=1, max_length=80)]


class Model(BaseModel):
    """Base of every table of a site file: frozen, and an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(Model):
    """A number with its source and date; without a source it is printed as an assumption."""

    value: Annotated[float, Field(strict=True)]
    source: str = ASSUMPTION
    date: SourceDate = "unknown"


def _from_bare(given: Any) -> Any:
    if isinstance(given, bool) or not isinstance(given, int | float | dict | Value):
        raise ValueError(  # noqa: TRY004 (pydantic takes a ValueError)
            f"expected a number or {{value, source, date}}, got {shown(given)}"
        )
    return given if isinstance(given, dict | Value) else {"value": given}


def _checked(expected: str, holds: Callable[[float], bool]) -> AfterValidator:
    def check(given: Value) -> Value:
        if not (math.isfinite(given.value) and holds(given.value)):
            raise ValueError(f"expected {expected}, got {given.value:g}")
        return given

    return AfterValidator(check)


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may plausibly be, ends included, and its unit; beyond it a slip of the pen is likelier."""

    low: float
    high: float
    unit: str

    def __str__(self) -> str:
        """As an error names it: 0.001 to 100,000 MW."""
        return f"{self._end(self.low)} to {self._end(self.high)} {self.unit}"

    @staticmethod
    def _end(value: float) -> str:
        return f"{value:,.0f}" if 1000 <= abs(value) < 1e12 else f"{value:g}"

    def __contains__(self, value: float) -> bool:
        """Whether a number lies within; one that is not finite never does."""
        return self.low <= value <= self.high

    def field(self) -> tuple[BeforeValidator, AfterValidator]:
        """Return the validators of a Value within the range."""
        return _BARE, _checked(f"a number of {self}", self.__contains__)


_BARE = BeforeValidator(_from_bare)

# Ends are far outside of what was ever built, paid or measured, and far inside of what a year's sums can hold.
MEGAWATTS = Range(0.001, 100_000, "MW")  # one machine; above every power plant there is
MEGAWATTS_OR_NONE = Range(0, 100_000, "MW")
HOURS = Range(0.001, 100_000, "hours")  # eleven years
CELSIUS = Range(-100, 150, "degrees C")  # air, and thresholds that are never reached
SWING = Range(0, 100, "degrees C")
PUE = Range(1, 10, "(a PUE)")
PUE_PER_C = Range(0, 1, "per degree C")
# Money may be in any currency (a dollar is up to some 10^6 units), and power has cost 10^4 USD/MWh in single hours.
PRICE = Range(-1e10, 1e10, "of the currency")
PRICE_OR_NONE = Range(0, 1e10, "of the currency")
MONEY = Range(0, 1e18, "of the currency")
PER_USD = Range(1e-6, 1e8, "of the currency per USD")
USD = Range(0, 1e6, "USD")  # of a GPU's hour, a kW's month, a million tokens
BTC_USD = Range(1e-4, 1e9, "USD/BTC")  # below the first price ever paid; above all the world's wealth over 21 million
FEES = Range(0, 1e6, "per cent of the subsidy")  # the subsidy halves away
DIFFICULTY = Range(1, 1e30, "(a difficulty)")  # the lowest there can be; 10^16 times that of 2026
GROWTH = Range(-99, 1000, "per cent a year")  # tenfold and more each year, to 2100, still counts
SHARE = Range(0, 100, "per cent")
OVERHEAD = Range(0, 1000, "per cent")
PENALTY = Range(0, 10_000, "per cent of the price")
FADE = Range(0, 50, "per cent a year")
AGE = Range(0, 100, "years")
COUNT = Range(1, 1e8, "(a whole number)")
TOKENS = Range(1e-6, 1e9, "tokens/s")
WATTS = Range(0.001, 1e7, "W")  # of one device, up to a whole rack of them
CARBON = Range(0, 10_000, "kg/MWh")  # the dirtiest fuel gives some 2,000
FIRST_DAY, LAST_DAY = dt.date(2009, 1, 5), dt.date(2099, 12, 31)  # from the first block, in every time zone


def _whole(value: float) -> bool:
    return value in COUNT and value == int(value)


def _dated(given: Any) -> Any:
    if not isinstance(given, dt.date) and "-" not in str(given)[1:]:  # a number would be seconds since 1970
        raise ValueError(f"expected a date or time, got {shown(given)}")
    return given


def _in_time(given: dt.date) -> dt.date:
    day = given.date() if isinstance(given, dt.datetime) else given
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"expected a day of {FIRST_DAY} to {LAST_DAY}, got {day}")
    return given


Percent = Annotated[Value, _BARE, _checked("a share of 0 to 100 per cent", SHARE.__contains__)]
LossPercent = Annotated[Value, _BARE, _checked("a share of 0 to below 100 per cent", lambda value: 0 <= value < 100)]
Pue = Annotated[Value, _BARE, _checked("a PUE of 1 to 10", PUE.__contains__)]
Count = Annotated[Value, _BARE, _checked("a whole number of 1 to 100,000,000", _whole)]
Megawatts = Annotated[Value, *MEGAWATTS.field()]
MegawattsOrNone = Annotated[Value, *MEGAWATTS_OR_NONE.field()]
Hours = Annotated[Value, *HOURS.field()]
Celsius = Annotated[Value, *CELSIUS.field()]
Swing = Annotated[Value, *SWING.field()]
PuePerC = Annotated[Value, *PUE_PER_C.field()]
Price = Annotated[Value, *PRICE.field()]
PriceOrNone = Annotated[Value, *PRICE_OR_NONE.field()]
Money = Annotated[Value, *MONEY.field()]
PerUsd = Annotated[Value, *PER_USD.field()]
Usd = Annotated[Value, *USD.field()]
BtcUsd = Annotated[Value, *BTC_USD.field()]
Fees = Annotated[Value, *FEES.field()]
Difficulty = Annotated[Value, *DIFFICULTY.field()]
Growth = Annotated[Value, *GROWTH.field()]
Overhead = Annotated[Value, *OVERHEAD.field()]
Penalty = Annotated[Value, *PENALTY.field()]
Fade = Annotated[Value, *FADE.field()]
Age = Annotated[Value, *AGE.field()]
Tokens = Annotated[Value, *TOKENS.field()]
Watts = Annotated[Value, *WATTS.field()]
Carbon = Annotated[Value, *CARBON.field()]
# Of files whose keys have no range of their own: what a sum can hold, and no more.
NotNegative = Annotated[Value, _BARE, _checked("a number of 0 or more, to 1e18", MONEY.__contains__)]
Positive = Annotated[Value, _BARE, _checked("a number above 0, to 1e18", lambda value: 1e-18 <= value <= 1e18)]
GrowthPercent = Growth
Day = Annotated[dt.date, BeforeValidator(_dated), AfterValidator(_in_time)]
When = Annotated[dt.datetime | dt.date, BeforeValidator(_dated), AfterValidator(_in_time)]
Hour = Annotated[int, Field(ge=0, le=23)]
Fraction24 = Annotated[int, Field(ge=0, le=24)]


class Numbers(Model):
    """A list of numbers with its source and date."""

    values: tuple[Annotated[float, Field(strict=True, allow_inf_nan=False)], ...]
    source: str = ASSUMPTION
    date: SourceDate = "unknown"


def _from_list(given: Any) -> Any:
    if not isinstance(given, list | tuple | dict | Numbers):
        raise ValueError(  # noqa: TRY004 (pydantic takes a ValueError)
            f"expected a list of numbers or {{values, source, date}}, got {shown(given)}"
        )
    return given if isinstance(given, dict | Numbers) else {"values": given}


Values = Annotated[Numbers, BeforeValidator(_from_list)]


def one_of(model: object, keys: tuple[str, ...], *, none: bool = False) -> None:
    """Raise ValueError unless exactly one of a table's keys is given (or none of them, where that is allowed)."""
    given = [key for key in keys if getattr(model, key) is not None]
    if len(given) > 1 or (not given and not none):
        wanted = ("at most one of " if none else "one of ") + ", ".join(keys)
        raise ValueError(f"expected {wanted}, got {' and '.join(given) or 'none'}")


def assumed(value: float) -> Value:
    """Default of a key: a value that is printed as an assumption."""
    return Value(value=value)


# Keys without a number that a result rests on too, and where their content comes from.
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
    "boundary": ASSUMPTION,
    "power_kind": ASSUMPTION,
    "token_basis": ASSUMPTION,
    "lengths": ASSUMPTION,
    "latency_limit": ASSUMPTION,
}


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
