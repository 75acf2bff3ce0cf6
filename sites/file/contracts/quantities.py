"""The types of the values in the tables of contracts and money, and the keys that all contracts have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from hardware_profiles.tables import Broken, Table, rule
from sites.file.ranges import Range
from sites.file.values import Day, Name, Value, assumed, whole_within, within

UsdPerKwh = Annotated[Value, *within(Range(0, 10, "USD/kWh"), "contract.usd_per_kwh")]
UsdPerKwMonth = Annotated[Value, *within(Range(0, 10_000, "USD/kW-month"), "contract.usd_per_kw_month")]
UsdPerKwYear = Annotated[Value, *within(Range(0, 100_000, "USD/kW-year"), "contract.usd_per_kw_year")]
UsdPerMwh = Annotated[Value, *within(Range(-10_000, 100_000, "USD/MWh"), "contract.fixed_usd_per_mwh")]
Kilowatts = Annotated[Value, *within(Range(0.001, 1e8, "kW"), "contract.contracted_kw")]
KilowattsOrNone = Annotated[Value, *within(Range(0, 1e8, "kW"))]
Escalator = Annotated[Value, *within(Range(-50, 100, "per cent a year"), "contract.escalator_percent_per_year")]
Interest = Annotated[Value, *within(Range(0, 200, "per cent a year"), "debt.interest_percent")]
LoanToValue = Annotated[Value, *within(Range(0.01, 100, "per cent"), "debt.margin_call_ltv_percent")]
Rise = Annotated[Value, *within(Range(0, 1000, "per cent"))]
Dollars = Annotated[Value, *within(Range(0, 1e15, "USD"))]
Energy = Annotated[Value, *within(Range(0.001, 1e9, "MWh a year"))]
Payments = Annotated[Value, *whole_within(Range(1, 600, "months"))]
PaymentsOrNone = Annotated[Value, *whole_within(Range(0, 600, "months"))]
Power = Annotated[Value, *within(Range(1, 4, "(a power)"))]
WholeYears = Annotated[Value, *whole_within(Range(0, 50, "years"))]


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"expected each block once, got {name!r} {names.count(name)} times")
    return names


Blocks = Annotated[
    tuple[Name, ...],
    Field(min_length=1),
    AfterValidator(_once),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 80},
            "minItems": 1,
            "uniqueItems": True,
        }
    ),
]


class Dated(Table):
    """The keys of everything that is in force from one day to another, both included."""

    name: Name
    start: Day | None = None  # first day; that of the horizon if absent
    end: Day | None = None  # last day; that of the horizon if absent

    @rule
    def _starts_before_its_end(self) -> Iterator[Broken]:
        if self.start is not None and self.end is not None and self.end < self.start:
            yield Broken(f"expected a last day from its start ({self.start}) on, got {self.end}", ("end",))


class Escalating(Dated):
    """The keys of a contract whose prices rise."""

    escalator_percent_per_year: Escalator = assumed(0.0)  # of all its prices, at each anniversary of its first day
