"""The reader of a scenario file (TOML): its tables and keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from hardware_profiles.errors import Faults, InputError
from hardware_profiles.reading import read_toml, validate
from hardware_profiles.tables import Broken, Table, rule
from sites.file.values import Flag, Growth, NotNegative, Number, Percent, assumed
from sites.scenarios.calibration import mean_reverting, random_walk, read_column
from sites.scenarios.model import BASE_CASE, INPUT_NAMES, MAX_FACTOR, MIN_FACTOR, ScenarioModel, Uncertain

if TYPE_CHECKING:
    from pathlib import Path

MAX_PER_YEAR = 31_557_600  # one a second
Share = Annotated[float, Field(strict=True, ge=-1, le=1)]
CorrelationRow = Annotated[tuple[Share, ...], Field(min_length=len(INPUT_NAMES), max_length=len(INPUT_NAMES))]


class SeriesTable(Table):
    """A column of a CSV file with equally spaced values, oldest first, from which a model is calibrated."""

    file: Annotated[str, Field(min_length=1)]
    column: Annotated[str, Field(min_length=1)]
    per_year: Annotated[float, Field(strict=True, ge=0.01, le=MAX_PER_YEAR)]
    source: str = "own series"
    date: str = "unknown"


class InputTable(Table):
    """[btc], [difficulty], ...: the model of an input, stated or calibrated from a series."""

    one_of = (("volatility_percent", "series"),)

    volatility_percent: NotNegative | None = None
    drift_percent_per_year: Growth = assumed(0.0)
    reversion_per_year: NotNegative = assumed(0.0)
    common_percent: Percent = assumed(100.0)
    series: SeriesTable | None = None


Factor = Annotated[float, Field(strict=True, ge=MIN_FACTOR, le=MAX_FACTOR)]


def _factor_or_zero(factor: float) -> float:
    if factor != 0 and not MIN_FACTOR <= factor <= MAX_FACTOR:
        raise ValueError(f"expected 0, or a factor of {MIN_FACTOR:g} to {MAX_FACTOR:,g}, got {factor:g}")
    return factor


FactorOrZero = Annotated[
    Number,
    AfterValidator(_factor_or_zero),
    WithJsonSchema({"anyOf": [{"const": 0}, {"type": "number", "minimum": MIN_FACTOR, "maximum": MAX_FACTOR}]}),
]


class CaseTable(Table):
    """[cases.NAME]: the factor of each input in a deterministic case; the others stay."""

    btc: Factor | None = None
    difficulty: Factor | None = None
    power: FactorOrZero | None = None
    inference_price: Factor | None = None
    demand: FactorOrZero | None = None
    availability: Factor | None = None


class ScenarioFile(Table):
    """A scenario file."""

    btc: InputTable | None = None
    difficulty: InputTable | None = None
    power: InputTable | None = None
    inference_price: InputTable | None = None
    demand: InputTable | None = None
    availability: InputTable | None = None
    correlation: (
        Annotated[tuple[CorrelationRow, ...], Field(min_length=len(INPUT_NAMES), max_length=len(INPUT_NAMES))] | None
    ) = None
    measurement: Flag = True
    cases: dict[str, CaseTable] = Field(default_factory=dict)

    in_schema = ({"properties": {"cases": {"not": {"required": [BASE_CASE]}}}},)

    @rule
    def _base_is_taken(self) -> Iterator[Broken]:
        if BASE_CASE in self.cases:
            text = "expected another name, because this is the case with all factors at 1"
            yield Broken(f"{text}, got {BASE_CASE!r}", ("cases", BASE_CASE))


def read_scenarios(path: Path) -> ScenarioModel:
    """Read a scenario file; raise InputError, naming file and key, if it or its series is invalid."""
    file = validate(ScenarioFile, read_toml(path), path)
    inputs, faults = {}, Faults()
    for name in INPUT_NAMES:
        table: InputTable | None = getattr(file, name)
        if table is not None:
            with faults.noted():
                inputs[name] = _uncertain(table, path)
    faults.refuse()
    cases = {name: table.model_dump(exclude_none=True) for name, table in file.cases.items()}
    try:
        return ScenarioModel(inputs, file.correlation, file.measurement, cases)
    except InputError as error:
        raise InputError(*(f"{path}: {fault}" for fault in error.faults)) from None


def _uncertain(table: InputTable, path: Path) -> Uncertain:
    common = table.common_percent.value / 100.0
    if table.series is not None:
        values = read_column(path.parent / table.series.file, table.series.column)
        calibrated = (mean_reverting if table.reversion_per_year.value > 0 else random_walk)(
            values, table.series.per_year
        )
        return Uncertain(
            calibrated.volatility_frac,
            table.drift_percent_per_year.value / 100.0,
            calibrated.reversion_per_year,
            common,
            f"{table.series.source}: {table.series.file}, {len(values)} values",
            table.series.date,
        )
    volatility = table.volatility_percent or assumed(0.0)
    return Uncertain(
        volatility.value / 100.0,
        table.drift_percent_per_year.value / 100.0,
        table.reversion_per_year.value,
        common,
        volatility.source,
        volatility.date,
    )
