"""The allowed range of each kind of number in a site file, with its unit; `sites/plausible` has the plausible ones."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """The allowed range of a number; a number outside it cannot be computed with, or cannot exist."""

    low: float  # included
    high: float  # included
    unit: str

    def __str__(self) -> str:
        """Return the range as an error names it: 0.001 to 100,000 MW."""
        return f"{_bound(self.low)} to {_bound(self.high)} {self.unit}".rstrip()

    def __contains__(self, value: float) -> bool:
        """Whether a number is within the range; a number that is not finite never is."""
        return self.low <= value <= self.high


def _bound(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e12 else f"{value:g}"


# The bounds are far outside what was ever built, paid or measured, and far inside what the sums of a year can hold.
MEGAWATTS = Range(0.001, 100_000, "MW")  # from one machine to more than any power plant
MEGAWATTS_OR_NONE = Range(0, 100_000, "MW")
CALLS = Range(0, 300, "days")
HOURS = Range(0.001, 100_000, "hours")  # up to eleven years
PEAK_MINUTES = Range(1, 60, "minutes")  # settlement intervals are of 5, 15, 30 or 60 minutes
CELSIUS = Range(-100, 150, "degrees C")  # air temperatures, and thresholds that are never reached
SWING = Range(0, 100, "degrees C")
PUE = Range(1, 10, "(a PUE)")
PUE_PER_C = Range(0, 1, "per degree C")
# Money may be in any currency (a dollar is up to 10^6 units), and power has cost 10^4 USD/MWh in single hours.
PRICE = Range(-1e10, 1e10, "of the currency")
PRICE_OR_NONE = Range(0, 1e10, "of the currency")
MONEY = Range(0, 1e18, "of the currency")
PER_USD = Range(1e-6, 1e8, "of the currency per USD")
USD = Range(0, 1e6, "USD")  # for an hour of a GPU, a month of a kW, a million tokens
BTC_USD = Range(1e-4, 1e9, "USD/BTC")  # from below the first price paid to more than all wealth over 21 million
FEES = Range(0, 1e6, "per cent of the subsidy")  # high, because the subsidy halves every four years
FEES_BTC = Range(0, 1000, "BTC per block")  # the highest ever paid in one block is below 300
DIFFICULTY = Range(1, 1e30, "(a difficulty)")  # from the lowest possible one to 10^16 times that of 2026
GROWTH = Range(-99, 1000, "per cent a year")  # at tenfold a year, the sums to 2100 are still finite
SHARE = Range(0, 100, "per cent")
AVAILABILITY = Range(0.01, 100, "per cent")  # of a site that runs at all
OVERHEAD = Range(0, 1000, "per cent")
PENALTY = Range(0, 10_000, "per cent of the price")
FADE = Range(0, 50, "per cent a year")
AGE = Range(0, 100, "years")
DAYS = Range(0, 10_000, "days")  # of building: no lead time is longer than a generation
LIFE = Range(0.1, 100, "years")
COUNT = Range(1, 1e8, "")
TOKENS = Range(1e-6, 1e9, "tokens/s")
WATTS = Range(0.001, 1e7, "W")  # of one device, up to a whole rack
CARBON = Range(0, 10_000, "kg/MWh")  # the most carbon-intensive fuel emits about 2,000
FIRST_DAY, LAST_DAY = dt.date(2009, 1, 5), dt.date(2099, 12, 31)  # from the first block on, in every time zone
