"""The units of one model in one figure: one figure a unit, with what it has alone and what it shares with others."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.fleet.errors import Figures
from bench.fleet.measurements import Kind, Measurement, Model, Reading
from bench.fleet.scatter import moderated, pooled
from bench.measure.stats import half_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sites.arrays import Floats, Integers

SECONDS_PER_DAY = 86400.0
RUNS_DOF = 5
"""Degrees of freedom of repeated runs from which their scatter counts; with fewer, that of the windows does."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit with its figure of one kind."""

    id: str
    hosts: tuple[str, ...]  # names of the hosts that measured it
    records: tuple[str, ...]  # ids, oldest first
    value: float  # mean of its records, in the unit of the kind
    interval: tuple[float, float] | None  # 95 %; None where nothing was repeated
    series: tuple[tuple[float, float], ...]  # time [days since 1970] and logarithm, of each record by its last meter


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one model in one figure, ordered by it."""

    model: Model
    kind: Kind
    units: tuple[Unit, ...]
    figures: Figures
    by_runs: bool  # whether the scatter is that of repeated runs, and not only of windows
    common_meter: bool  # whether meters of unknown or unstated error count as one


def units_of(measured: Iterable[Measurement]) -> list[Units]:
    """Return the units of each model in each figure; energy and power only by the meters that a record names."""
    by_model: dict[tuple[Model, Kind], dict[str, list[Measurement]]] = {}
    for one in measured:
        for kind in one.figures:
            by_model.setdefault((one.model, kind), {}).setdefault(one.unit, []).append(one)
    return [_units(model, kind, by_unit) for (model, kind), by_unit in by_model.items()]


def _units(model: Model, kind: Kind, by_unit: "Mapping[str, Sequence[Measurement]]") -> Units:
    readings = {unit: [one.figures[kind] for one in records] for unit, records in by_unit.items()}
    logs = {unit: [math.log(reading.value) for reading in every] for unit, every in readings.items()}
    order = sorted(by_unit, key=lambda unit: (math.fsum(logs[unit]) / len(logs[unit]), unit))
    every = [readings[unit] for unit in order]
    runs = [_variance(logs[unit]) for unit in order]
    by_runs = sum(len(logs[unit]) - 1 for unit in order) >= RUNS_DOF
    scatter, dofs, per_mean = (
        (runs, [len(one) - 1.0 for one in every], [1.0 / len(one) for one in every]) if by_runs else _of_windows(every)
    )
    typical, dof = pooled(scatter, dofs)
    own, shares = moderated(scatter, dofs), np.array(per_mean)
    work = np.array([0.0 if by_runs else _mean_square(one) / len(one) for one in every])
    group, shared, alone = _meters(every)
    figures = Figures(
        logs=np.array([math.fsum(logs[unit]) / len(logs[unit]) for unit in order]),
        scatter=typical * shares,
        scatter_dof=dof or math.inf,
        moderated=np.maximum(np.array(own.variances), typical) * shares,
        moderated_dof=own.dof,
        known=work + alone,
        group=group,
        shared=shared,
    )
    return Units(
        model,
        kind,
        tuple(_unit(unit, kind, by_unit[unit], figures, at) for at, unit in enumerate(order)),
        figures,
        by_runs,
        common_meter=any(not reading.meter and reading.u_meter_frac for one in every for reading in one),
    )


def _of_windows(every: "Sequence[Sequence[Reading]]") -> tuple[list[float], list[float], list[float]]:
    """Return the variance of one window of each unit [-], its degrees of freedom, and its share in a unit's mean."""
    variances, dofs, shares = [], [], []
    for readings in every:
        repeated = [(one.sd_frac**2, one.windows - 1.0) for one in readings if one.sd_frac is not None]
        variance, dof = pooled(*zip(*repeated, strict=True)) if repeated else (0.0, 0.0)
        variances.append(variance)
        dofs.append(dof)
        shares.append(math.fsum(1.0 / one.windows for one in readings) / len(readings) ** 2)
    return variances, dofs, shares


def _meters(every: "Sequence[Sequence[Reading]]") -> "tuple[Integers, Floats, Floats]":
    """Return the group of each unit that shares a meter, the variance of each group, and that of own meters [-].

    Units whose meter has no stated accuracy, or is unknown, count as one group: their error is never averaged out and
    never taken from the spread.
    """
    names: list[frozenset[str]] = [frozenset().union(*(one.meter for one in readings)) for readings in every]
    numbers: dict[str, int] = {}
    parent: list[int] = list(range(len(names)))
    for at, sources in enumerate(names):
        for source in sources or {""}:
            first = numbers.setdefault(source, at)
            one, other = _root(parent, first), _root(parent, at)
            parent[max(one, other)] = min(one, other)
    roots = [_root(parent, at) for at in range(len(names))]
    group = np.unique(roots, return_inverse=True)[1]
    errors = np.array([max(one.u_meter_frac for one in readings) ** 2 for readings in every])
    shared = np.zeros(int(group.max()) + 1)
    np.maximum.at(shared, group, errors)
    is_own = (np.bincount(group)[group] == 1) & np.array([bool(sources) for sources in names])
    alone = np.where(is_own, errors, 0.0)
    shared[group[is_own]] = 0.0
    return group, shared, alone


def _root(parent: list[int], at: int) -> int:
    while parent[at] != at:
        at = parent[at]
    return at


def _unit(unit: str, kind: Kind, records: "Sequence[Measurement]", figures: Figures, at: int) -> Unit:
    middle = float(figures.logs[at])
    interval = None
    systematic = math.sqrt(float(figures.known[at] + figures.shared[figures.group[at]]))
    if figures.scatter[at] > 0.0 or systematic > 0.0:
        half = half_width(math.sqrt(float(figures.moderated[at])), figures.scatter_dof, systematic)
        interval = (math.exp(middle - half), math.exp(middle + half))
    return Unit(
        unit,
        tuple(dict.fromkeys(one.host for one in records)),
        tuple(one.id for one in records),
        math.exp(middle),
        interval,
        tuple(_series(kind, records)),
    )


def _series(kind: Kind, records: "Sequence[Measurement]") -> "Iterator[tuple[float, float]]":
    """Yield time [days] and logarithm of each record by the newest record's meter: another meter is no drift."""
    meter = records[-1].figures[kind].meter
    for one in records:
        if one.figures[kind].meter == meter:
            yield one.started.timestamp() / SECONDS_PER_DAY, math.log(one.figures[kind].value)


def _variance(values: "Sequence[float]") -> float:
    if len(values) < 2:
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _mean_square(readings: "Sequence[Reading]") -> float:
    return math.fsum(one.u_work_frac**2 for one in readings) / len(readings)
