"""The table of plausible bands, `bands.toml`: the usual size of each number of a file, and its likely slips."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field

from hardware_profiles.reading import parse_toml, validate

BANDS_FILE = "bands.toml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Slip(_Part):
    """A likely slip: the value that was meant is (value + shift) * factor, or its reciprocal times the factor."""

    cause: str  # as a question to the reader, without its question mark
    factor: float = 1.0
    shift: float = 0.0
    inverse: bool = False

    def meant(self, value: float) -> float:
        """Return the value that was meant if this slip was made; NaN if there is none."""
        if self.inverse:
            return self.factor / value if value else math.nan
        return (value + self.shift) * self.factor


class Band(_Part):
    """The plausible band of a number: outside it a value is doubted, outside the absurd limits it is refused."""

    keys: tuple[str, ...]  # fields of a file without labels, or the name of a derived quantity
    unit: str
    low: float
    high: float
    smallest: float = 0.0  # a value nearer to 0 is doubted, 0 itself is not
    absurd_low: float = -math.inf
    absurd_high: float = math.inf
    source: str
    date: str
    slips: tuple[Slip, ...] = ()
    above: str = ""  # likely cause of a value above the band that no factor mends

    def __contains__(self, value: float) -> bool:
        """Whether a value is plausible."""
        return self.low <= value <= self.high and (value == 0.0 or abs(value) >= self.smallest)

    def absurd(self, value: float) -> bool:
        """Return whether a value cannot exist."""
        return not self.absurd_low <= value <= self.absurd_high

    def expected(self) -> str:
        """Return the band as an error names it: 0 or 0.5 to 50 USD/kW-month."""
        low = f"0 or {written(self.smallest)}" if self.low == 0 and self.smallest else written(self.low)
        return f"{low} to {written(self.high)} {self.unit}"


class Currencies(_Part):
    """Plausible exchange rates, in units of the currency for one USD."""

    source: str
    date: str
    per_usd: dict[str, tuple[float, float]]  # low and high by ISO code


class BtcYears(_Part):
    """Lowest and highest price of bitcoin in past years."""

    source: str
    date: str
    usd: dict[int, tuple[float, float]]  # [USD/BTC] low and high by year


class Zone(_Part):
    """The time zones of states and provinces, which the list of countries does not have."""

    zone: str
    names: tuple[str, ...]


class BandFile(_Part):
    """The whole table."""

    band: tuple[Band, ...]
    btc_years: BtcYears
    currencies: Currencies
    zone: tuple[Zone, ...] = Field(default=())


@cache
def band_file() -> BandFile:
    """Return the table of bands."""
    data = resources.files("sites.plausible").joinpath(BANDS_FILE).read_bytes()
    return validate(BandFile, parse_toml(data, BANDS_FILE), BANDS_FILE)


@cache
def _by_key() -> dict[str, Band]:
    return {key: band for band in band_file().band for key in band.keys}


def band_of(key: str) -> Band | None:
    """Return the band of a field or a derived quantity, or None if it has none."""
    return _by_key().get(key)


def known_band(name: str) -> Band:
    """Return the band of a field or a derived quantity that has one; raise KeyError if it has none."""
    return _by_key()[name]


def written(value: float) -> str:
    """Return a number as one writes it: 84,714; 0.042; 150e12."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(value)))
    if exponent >= 9:
        thousands = exponent // 3 * 3
        return f"{value / 10.0**thousands:.6g}e{thousands}"
    return f"{value:,.0f}" if abs(value) >= 1000 and value == round(value) else f"{value:,.6g}"
