"""A fleet in figures: for each model the spread between its units, outliers and drift, and how much was measured."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.fleet.drift import Drift, drifts
from bench.fleet.measurements import Kind, Model, measurements
from bench.fleet.outliers import LEAST_UNITS, Deviation, deviations
from bench.fleet.spread import Spread, spread
from bench.fleet.units import Unit, Units, units_of

if TYPE_CHECKING:
    from bench.results.labs.coverage import Coverage
    from bench.results.record import Record

UNKNOWN_COVERAGE = (
    "coverage not known: these results come from no lab run, so units that failed or were never measured are not seen"
)
_GROUPS = ("rate", "energy", "power")


@dataclass(frozen=True, slots=True)
class Study:
    """The units of one model in one figure."""

    model: Model
    kind: Kind
    units: tuple[Unit, ...]  # from the lowest figure to the highest
    spread: Spread | None  # None for one unit: its spread is unknown
    deviations: tuple[Deviation, ...] | None  # of each unit; None for too few units
    drifts: Mapping[str, Drift]  # by unit, of those with enough records
    notes: tuple[str, ...]

    @property
    def outliers(self) -> tuple[Unit, ...]:
        """The units that differ from the others by more than chance explains."""
        return tuple(unit for unit, one in zip(self.units, self.deviations or (), strict=False) if one.is_outlier)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every model of a fleet, with what a reader must know before its figures."""

    studies: tuple[Study, ...]  # by workload and model; rate, energy, power
    counted: int  # records that count
    not_counted: Mapping[str, int]  # number of others by reason
    coverages: "tuple[Coverage, ...]"  # of the lab runs that the results come from
    beyond_labs: int  # records that count and come from no lab run

    @property
    def models(self) -> tuple[Model, ...]:
        """The models, each once."""
        return tuple(dict.fromkeys(study.model for study in self.studies))

    def of(self, model: Model) -> tuple[Study, ...]:
        """Return the figures of one model."""
        return tuple(study for study in self.studies if study.model == model)


def fleet(records: "Iterable[Record]", coverages: "Iterable[Coverage]" = (), workloads: Iterable[str] = ()) -> Fleet:
    """Return the figures of a fleet.

    Parameters
    ----------
    records
        Results of any hosts and devices.
    coverages
        The coverage of the lab runs that they come from.
    workloads
        Names of the workloads to keep; all if empty.
    """
    measured = measurements(records, workloads)
    of_labs = tuple(coverages)
    collected = {result for coverage in of_labs for row in coverage.rows for result in row.results}
    studies = [_study(units) for units in units_of(measured.counted)]
    return Fleet(
        tuple(sorted(studies, key=_order)),
        len(measured.counted),
        measured.not_counted,
        of_labs,
        sum(one.id not in collected for one in measured.counted),
    )


def _study(units: Units) -> Study:
    count = len(units.units)
    drift = drifts({unit.id: unit.series for unit in units.units})
    tested = deviations(units.figures)
    deviating = None if tested is None else tuple(tested)
    between = spread(units.figures) if count > 1 else None
    return Study(units.model, units.kind, units.units, between, deviating, drift, tuple(_notes(units, between)))


def _notes(units: Units, between: Spread | None) -> Iterator[str]:
    """Yield what a reader must know of the spread, one sentence each."""
    count = len(units.units)
    if between is None:
        yield "one unit: the spread between units is unknown"
        return
    if count < LEAST_UNITS:
        yield f"{count} units: too few to test for outliers ({LEAST_UNITS})"
    if between.alike:
        yield "the units differ less than their stated errors let expect: these are smaller, or alike in all units"
    if not units.by_runs:
        yield "units were not measured again: what differs between two runs of one unit counts as spread between units"
    if units.common_meter:
        yield (
            "the meters state no accuracy, or are not known: their errors count as common to all units, so that the "
            "spread includes what single meters differ"
        )
    moved = [unit.id for unit in units.units if len(unit.hosts) > 1]
    if moved:
        yield f"measured on several hosts, and counted as one unit: {', '.join(moved)}"


def _order(study: Study) -> tuple[object, ...]:
    return (study.model, _GROUPS.index(study.kind.group), study.kind)
