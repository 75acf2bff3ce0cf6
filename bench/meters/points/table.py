"""The description of one family of meters: which points it has, where they are, and in what unit and scale.

A description is a TOML file, one of `bench/meters/tables` or the user's own. docs/meter-tables.md lists its keys.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bench import limits
from bench.meters.points.units import FACTORS, UNITLESS, Quantity
from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.provenance import Boundary
from hardware_profiles.reading import read_toml, validate

_SETTING = re.compile(r"\{(\w+)\}")
FOLDER = Path(__file__).parents[1] / "tables"

Text = Annotated[str, Field(min_length=1)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Strict):
    """A page or file that states figures of a table."""

    title: Text
    address: Text
    read: Text  # ISO date
    states: Text  # what it states, in our words


class Setting(_Strict):
    """A setting of the spec that chooses among several of a kind, such as the outlet of a PDU."""

    meaning: Text
    default: str | None = None  # None if the user must state it
    one_source: bool = False  # whether each of its values shows the power of one and the same device


class Accuracy(_Strict):
    """The accuracy of the power that the maker states."""

    frac: Annotated[float, Field(gt=0.0, lt=0.5)]  # [-] relative
    source: Text


class Period(_Strict):
    """How often the meter updates its power."""

    s: Annotated[float, Field(gt=0.0, le=3600.0)]  # [s]
    source: Text


class Point(_Strict):
    """One figure of a meter."""

    quantity: Quantity
    at: dict[str, Any]  # where the transport finds it
    unit: str = ""
    scale: Positive = 1.0  # the figure is the raw value times this, in `unit`
    digits_at: dict[str, Any] | None = None  # where the device states how many decimal digits the raw value has
    phase: str = ""  # of several phases
    averaging_s: Annotated[float, Field(ge=0.0, le=limits.LONGEST_AVERAGING_S)] = (
        0.0  # [s] time over which a power is averaged
    )
    wraps_at: Positive | None = None  # raw value at which a counter of energy begins anew
    absent: list[int | float | str] = []  # raw values that stand for "no value"
    active: list[str] = []  # of a state: the texts that confirm a reading

    @model_validator(mode="after")
    def _has_its_unit(self) -> Self:
        units = FACTORS.get(self.quantity)
        if units is None and self.unit:
            raise ValueError(f"expected no unit for a {self.quantity}, got {shown(self.unit)}")
        if units is not None and self.unit not in units:
            raise ValueError(
                f"expected the unit of a {self.quantity}, one of {', '.join(units)}, got {shown(self.unit)}"
            )
        if self.quantity == "active" and not self.active:
            raise ValueError("expected `active`, the texts that confirm a reading, got nothing")
        return self

    @model_validator(mode="after")
    def _has_no_key_of_another(self) -> Self:
        for key, quantity, is_stated in (
            ("averaging_s", "power", self.averaging_s > 0.0),
            ("wraps_at", "energy", self.wraps_at is not None),
            ("active", "active", bool(self.active)),
        ):
            if is_stated and self.quantity != quantity:
                raise ValueError(f"expected {key} at a point of {quantity} alone, got it at one of {self.quantity}")
        return self

    @property
    def factor(self) -> float:
        """SI value of one raw unit, before the digits that the device states."""
        return 1.0 if self.quantity in UNITLESS else self.scale * FACTORS[self.quantity][self.unit]


class Table(_Strict):
    """One family of meters."""

    title: Text
    table_schema: Literal[1] = 1
    transport: Text
    reads: Literal["power", "energy"] = "power"  # the figure that the joules come from; the other one is a check
    boundary: Boundary
    scope: Text  # the hardware that it covers, in words
    period: Period
    accuracy: Accuracy | None = None
    most_power_w: Positive | None = None  # [W] more than it can measure; needed to undo the wraps of a counter
    unverified: Text | None = None  # what its scales rest on while no device's answer was seen; said at each check
    attribution: bool = False  # whether the source estimates the power rather than measures it: tier E
    settings: dict[str, Setting] = {}
    transport_settings: dict[str, Any] = {}
    points: dict[str, Point]
    sources: dict[str, Source]

    @model_validator(mode="after")
    def _reads_what_it_has(self) -> Self:
        if not self.of(self.reads):
            raise ValueError(f"expected a point with quantity = {self.reads!r}, because the table reads it")
        if self.reads == "energy" and self.most_power_w is None:
            raise ValueError("expected most_power_w, because the table reads a counter, got nothing")
        if self.reads == "energy" and len(self.of("energy")) > 1:
            raise ValueError("expected one point of energy, because the table reads it, got several")
        if not self.sources:
            raise ValueError("expected a table [sources.NAME], the page that states the scales, got nothing")
        return self

    @model_validator(mode="after")
    def _counts_each_power_once(self) -> Self:
        seen: dict[tuple[str, str], str] = {}
        for name, point in self.points.items():
            if (point.quantity, point.phase) in seen and point.quantity not in UNITLESS:
                first, words = seen[point.quantity, point.phase], point.quantity.replace("_", " ")
                raise ValueError(
                    f"expected one {words} of each phase, got {first} and {name}; a phase has its name in `phase`"
                )
            seen[point.quantity, point.phase] = name
        powers = {name: point for name, point in self.points.items() if point.quantity == "power"}
        if len(powers) > 1:
            for name, point in powers.items():
                if not point.phase:
                    raise ValueError(f"expected the phases or their total, because powers are added, got {name} too")
                if any(other.at == point.at for key, other in powers.items() if key != name):
                    raise ValueError(f"expected each power at a place of its own, got {name} twice")
        return self

    def of(self, quantity: str) -> list[Point]:
        """Return the points of a quantity, one for each phase."""
        return [point for point in self.points.values() if point.quantity == quantity]


def names(transport: str = "") -> list[str]:
    """Return the names of the bundled tables, or of those of one transport."""
    known = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return [name for name in known if not transport or bundled(name).transport == transport]


@cache
def bundled(name: str) -> Table:
    """Return a bundled table by its name."""
    return read(FOLDER / f"{name}.toml")


def read(path: Path) -> Table:
    """Return the table in a file.

    Raises
    ------
    InputError
        The file cannot be read, is not TOML, or a key is unknown, missing or wrong.
    """
    return validate(Table, read_toml(path), path)


def needed_settings(table: Table) -> str:
    """Return the settings that a spec of a table must state, as in `,outlet=OUTLET`."""
    stated = [name for name, setting in table.settings.items() if setting.default is None]
    stated += ["period"] if table.period.s > limits.SLOWEST_PERIOD_S else []
    return "".join(f",{name}={name.upper()}" for name in stated)


def find(name: str, place: str, transport: str) -> Table:
    """Return a table by its bundled name or by the path of a file, which ends in .toml.

    Parameters
    ----------
    name
        The name or path.
    place
        The meter, for messages.
    transport
        The transport that reads it.

    Raises
    ------
    InputError
        There is no such table, it is faulty, or it is of another transport.
    """
    if name.endswith(".toml"):
        table = read(Path(name).expanduser())
    elif (FOLDER / f"{name}.toml").is_file():
        table = bundled(name)
    else:
        known = names(transport)
        expected = f"one of {', '.join(known)}, or the path of a .toml file"
        raise InputError.at(place, "table", expected=expected, got=name, near=near_names(name, known))
    if table.transport != transport and name.endswith(".toml"):
        raise InputError.at(name, "transport", expected=f"{transport}, as the spec names it", got=table.transport)
    if table.transport != transport:
        expected = f"a table of {transport}, one of {', '.join(names(transport))}"
        raise InputError.at(place, "table", expected=expected, got=f"{name}, a table of {table.transport}")
    return table


def filled(at: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return a place with the settings of the spec, such as `{outlet}`, put in.

    Raises
    ------
    ValueError
        The table has no such setting.
    """
    return {key: _filled(value, values) for key, value in at.items()}


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _SETTING.sub(lambda match: _chosen(match[1], values), value)
    return filled(value, values) if isinstance(value, dict) else value


def _chosen(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        known = ", ".join(values) or "but the table has no settings"
        raise ValueError(f"expected a setting of the table in braces, {known}, got {shown(name)}")
    return values[name]


def choices(table: Table, settings: Mapping[str, str], place: str) -> dict[str, str]:
    """Return the settings of a table: as stated, else their defaults.

    Raises
    ------
    InputError
        One that has no default is not stated.
    """

    def each() -> Iterator[tuple[str, str]]:
        for name, setting in table.settings.items():
            value = settings.get(name, setting.default)
            if value is None or (not value and setting.default is None):
                raise InputError.at(place, name, expected=setting.meaning)
            yield name, value

    return dict(each())
