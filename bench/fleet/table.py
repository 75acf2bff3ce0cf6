"""A fleet as tables: a line for each unit, a line for each figure of a model, and the sentences that go with them."""

from collections.abc import Iterator, Sequence
from typing import Any

from bench.fleet import drift, outliers
from bench.fleet.measurements import Kind, Model
from bench.fleet.study import UNKNOWN_COVERAGE, Fleet, Study
from bench.fleet.units import Unit
from bench.quantity import quantity, quantity_range

SCHEMA = "perwatt.fleet/1"
UNIT_COLUMNS = ("host", "unit", "figure", "value", "95 %", "records", "from expected", "drift")
MODEL_COLUMNS = ("figure", "units", "mean", "95 %", "spread", "95 % of spread", "q05", "q50", "q95", "outliers")


def title_of(model: Model) -> str:
    """Return device, workload, variant and settings of a model on one line."""
    settings = ", ".join(f"{key} {value}" for key, value in model.settings)
    return f"{model.device}: {model.workload} {model.variant}".strip() + (f" ({settings})" if settings else "")


def figure_name(kind: Kind) -> str:
    """Return what a figure is: rate, energy at the wall (B), power at the package (C)."""
    return kind.group if not kind.boundary else f"{kind.group} at the {kind.boundary} ({kind.tier})"


def unit_name(unit: Unit) -> str:
    """Return a unit as a table shows it: the kind of the device and the beginning of its identity."""
    kind, _, identity = unit.id.partition(":")
    return f"{kind} {identity.removeprefix('GPU-')[:8]}"


def model_rows(studies: Sequence[Study]) -> list[list[str]]:
    """Return a line for each figure of a model, under MODEL_COLUMNS."""
    return [_model_row(study) for study in studies]


def _model_row(study: Study) -> list[str]:
    between, unit = study.spread, study.kind.unit
    name, count = figure_name(study.kind), str(len(study.units))
    if between is None:
        only = study.units[0]
        return [name, count, quantity(only.value, unit), _plus_minus(only.value, only.interval), "unknown",
                *("-" for _ in range(5))]  # fmt: skip
    low, high = between.sd_interval
    quantiles = between.quantiles()
    named = ", ".join(unit_name(one) for one in study.outliers)
    return [
        name,
        count,
        quantity(between.mean, unit),
        _plus_minus(between.mean, between.mean_interval),
        f"{between.sd_frac:.2%}",
        f"{low:.2%} to {high:.2%}",
        *(quantity(quantiles[share][0], unit) for share in (0.05, 0.5, 0.95)),
        named or ("none" if study.deviations is not None else "not tested"),
    ]


def unit_rows(studies: Sequence[Study]) -> list[list[str]]:
    """Return a line for each unit and figure, under UNIT_COLUMNS, ordered by host and unit."""
    lines = [
        ((", ".join(unit.hosts), unit.id), unit_row(study, at))
        for study in studies
        for at, unit in enumerate(study.units)
    ]
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def unit_row(study: Study, at: int) -> list[str]:
    """Return the line of one unit, under UNIT_COLUMNS."""
    unit = study.units[at]
    deviation = None if study.deviations is None else study.deviations[at]
    change = study.drifts.get(unit.id)
    return [
        ", ".join(unit.hosts),
        unit_name(unit),
        figure_name(study.kind),
        quantity(unit.value, study.kind.unit),
        _plus_minus(unit.value, unit.interval),
        str(len(unit.records)),
        "-" if deviation is None else f"{_signed(deviation.frac)}{' OUTLIER' if deviation.is_outlier else ''}",
        "-" if change is None else f"{_signed(change.frac)} in {change.days:.3g} d{' DRIFTS' if change.drifts else ''}",
    ]


def _signed(frac: float) -> str:
    return f"{round(frac, 4) + 0.0:+.2%}"  # no -0.00%


def _plus_minus(value: float, interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"± {(interval[1] - interval[0]) / 2.0 / value:.2%}"


def coverage_lines(fleet: Fleet) -> Iterator[str]:
    """Yield what is known of the units that are not in the figures."""
    if not fleet.coverages:
        yield UNKNOWN_COVERAGE
    elif fleet.beyond_labs:
        yield f"{fleet.beyond_labs} of {fleet.counted} results come from no lab run: their coverage is not known"
    if fleet.not_counted:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(fleet.not_counted.items()))
        yield f"not counted: {reasons}"


def captions(studies: Sequence[Study]) -> Iterator[str]:
    """Yield the notes of a model's figures, each once, with the figures that it is for where these are not all."""
    figures: dict[str, list[str]] = {}
    for study in studies:
        for note in study.notes:
            figures.setdefault(note, []).append(figure_name(study.kind))
    for note, names in figures.items():
        yield note if len(names) == len(studies) else f"{', '.join(names)}: {note}"


def tests(studies: Sequence[Study]) -> Iterator[str]:
    """Yield the tests that were made, with their rates of false alarms."""
    if any(study.deviations is not None for study in studies):
        alarms = outliers.FALSE_ALARMS_FRAC
        yield f"outliers: {outliers.TEST}; at most {alarms:.0%} false alarms in a figure of a whole fleet"
    if any(study.drifts for study in studies):
        yield f"drift: {drift.TEST}; at most {drift.FALSE_ALARMS_FRAC:.0%} false alarms in a figure of a whole fleet"
    if any(study.spread is not None for study in studies):
        yield "spread: standard deviation between units, outliers among them, the errors of each unit taken away"


def study_line(study: Study) -> str:
    """Return a figure of a model with several units on one line: spread, outliers, drift."""
    between = study.spread
    if between is None:
        return f"{title_of(study.model)}: {figure_name(study.kind)}: one unit, spread unknown"
    low, high = between.sd_interval
    drifting = [unit_name(unit) for unit in study.units if unit.id in study.drifts and study.drifts[unit.id].drifts]
    parts = [
        f"{len(study.units)} units",
        f"mean {quantity(between.mean, study.kind.unit)}",
        f"spread {between.sd_frac:.2%} (95 %: {low:.2%} to {high:.2%})",
        "outliers " + (", ".join(map(unit_name, study.outliers)) or "none")
        if study.deviations
        else "outliers not tested",
        f"drift {', '.join(drifting) or 'none'} of {len(study.drifts)}" if study.drifts else "drift not tested",
    ]
    return f"{title_of(study.model)}: {figure_name(study.kind)}: {', '.join(parts)}"


def range_text(study: Study) -> str:
    """Return the range in which nine of ten units are, in the unit of the field; empty for one unit."""
    if study.spread is None:
        return ""
    quantiles = study.spread.quantiles()
    return quantity_range(quantiles[0.05][0], quantiles[0.95][0], study.kind.unit)


def document(fleet: Fleet) -> dict[str, Any]:
    """Return a fleet as JSON-ready data in SI base units; the coverage is added by the caller."""
    return {
        "schema": SCHEMA,
        "counted": fleet.counted,
        "not_counted": dict(fleet.not_counted),
        "coverage_known": bool(fleet.coverages) and not fleet.beyond_labs,
        "tests": list(tests(fleet.studies)),
        "models": [_model_document(fleet, model) for model in fleet.models],
    }


def _model_document(fleet: Fleet, model: Model) -> dict[str, Any]:
    return {
        "device": model.device,
        "workload": model.workload,
        "version": model.version,
        "variant": model.variant,
        "parameters": dict(model.parameters),
        "settings": dict(model.settings),
        "figures": [_study_document(study) for study in fleet.of(model)],
    }


def _study_document(study: Study) -> dict[str, Any]:
    between = study.spread
    return {
        "figure": study.kind.group,
        "unit": study.kind.unit,
        "boundary": study.kind.boundary or None,
        "tier": study.kind.tier or None,
        "units": len(study.units),
        "mean": between.mean if between else study.units[0].value,
        "mean_interval_95": between.mean_interval if between else study.units[0].interval,
        "spread_frac": between.sd_frac if between else None,
        "spread_interval_95_frac": between.sd_interval if between else None,
        "quantiles": [
            {"share": share, "value": value, "interval_95": interval}
            for share, (value, interval) in (between.quantiles() if between else {}).items()
        ],
        "notes": list(study.notes),
        "by_unit": [_unit_document(study, at) for at in range(len(study.units))],
    }


def _unit_document(study: Study, at: int) -> dict[str, Any]:
    unit = study.units[at]
    deviation = None if study.deviations is None else study.deviations[at]
    change = study.drifts.get(unit.id)
    return {
        "unit": unit.id,
        "hosts": list(unit.hosts),
        "results": list(unit.records),
        "value": unit.value,
        "interval_95": unit.interval,
        "deviation_frac": deviation.frac if deviation else None,
        "outlier_probability": deviation.probability if deviation else None,
        "outlier": deviation.is_outlier if deviation else None,
        "drift_frac": change.frac if change else None,
        "drift_interval_95_frac": change.interval if change else None,
        "drift_days": change.days if change else None,
        "drift_probability": change.probability if change else None,
        "drifts": change.drifts if change else None,
    }


def flat_rows(fleet: Fleet) -> list[dict[str, Any]]:
    """Return a row for each unit and figure, with those of its model, for CSV."""
    rows = []
    for study in fleet.studies:
        whole = _study_document(study)
        of_model = {
            "device": study.model.device, "workload": study.model.workload, "variant": study.model.variant,
            "settings": ", ".join(f"{key} {value}" for key, value in study.model.settings) or None,
            **{key: whole[key] for key in ("figure", "unit", "boundary", "tier", "units", "mean", "mean_interval_95",
                                           "spread_frac", "spread_interval_95_frac")},
        }  # fmt: skip
        for one in whole["by_unit"]:
            own = {"unit_id" if key == "unit" else key: value for key, value in one.items()}
            own |= {key: " ".join(own[key]) for key in ("hosts", "results")}
            rows.append({**own, **of_model})
    return rows
