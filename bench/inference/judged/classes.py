"""The hold-out errors of all classes, and how many rows of a new configuration their intervals would hold."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.inference.accelerator import accelerator
from bench.inference.judged.holdout import COVERING, LEVEL, ClassHoldout, class_names, kind_name, widened
from bench.inference.terms.family import family_of
from kernels.llm.shapes import load

if TYPE_CHECKING:
    from bench.inference.validation import Outcome


def holdout_classes(outcomes: "Sequence[Outcome]") -> dict[str, ClassHoldout]:
    """Return the errors of held-out rows by class.

    These are the numbers of data/holdout.toml: call this function again after a change of the model or of the rows, and
    a test compares both.
    """
    return {name: _errors(name, rows) for name, rows in sorted(_by_class(outcomes).items())}


def covered_frac(outcomes: "Sequence[Outcome]") -> float | None:
    """Return the share of held-out rows in the interval that all other configurations of their class give.

    A class of one configuration gives none, and its rows are not counted.
    """
    ratios = _ratios(outcomes)
    return sum(ratio <= COVERING for ratio in ratios) / len(ratios) if ratios else None


def covering(outcomes: "Sequence[Outcome]") -> float:
    """Return the factor on the spread of other configurations within which LEVEL of the held-out rows lie."""
    import numpy as np

    return float(np.quantile(_ratios(outcomes), LEVEL))


def _ratios(outcomes: "Sequence[Outcome]") -> list[float]:
    """Return the error of each held-out row over the spread of the other configurations of its widest class."""
    ratios: list[float] = []
    classes = _by_class(outcomes)
    for (name, names), rows in _by_configuration(outcomes).items():
        others = {
            place: _errors(place, left)
            for place in dict.fromkeys((kind_name(names), *names))
            if (left := [one for one in classes[place] if one.configuration != name])
        }
        kind = others.get(kind_name(names))
        spreads = [widened(others[place], kind).rms_ln for place in names if place in others]
        if spreads:
            ratios.extend(abs(_ln(one)) / max(spreads) for one in rows)
    return ratios


def names_of(outcome: "Outcome") -> tuple[str, ...]:
    """Return the names of the classes of a row."""
    row = outcome.row
    return class_names(
        moe=load(row.model_name or "").is_moe, dtype=row.dtype or "", engine=row.engine,
        family=family_of(row.device_slug or "").name,
        servers=accelerator(row.device_slug or "").servers(row.gpus),
    )  # fmt: skip


def _by_class(outcomes: "Sequence[Outcome]") -> "dict[str, list[Outcome]]":
    classes: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        names = names_of(outcome)
        for name in dict.fromkeys((kind_name(names), *names)):
            classes.setdefault(name, []).append(outcome)
    return classes


def _by_configuration(
    outcomes: "Sequence[Outcome]",
) -> "Mapping[tuple[str, tuple[str, ...]], list[Outcome]]":
    configurations: dict[tuple[str, tuple[str, ...]], list[Outcome]] = {}
    for outcome in outcomes:
        configurations.setdefault((outcome.configuration, names_of(outcome)), []).append(outcome)
    return configurations


def _errors(name: str, rows: "Sequence[Outcome]") -> ClassHoldout:
    logs = [_ln(one) for one in rows]
    squares: dict[str, list[float]] = {}
    for one, log in zip(rows, logs, strict=True):
        squares.setdefault(one.configuration, []).append(log * log)
    mean_square = sum(sum(part) / len(part) for part in squares.values()) / len(squares)
    return ClassHoldout(
        error_frac=math.exp(sum(map(abs, logs)) / len(logs)) - 1.0,
        worst_frac=math.exp(max(map(abs, logs))) - 1.0,
        rms_ln=math.sqrt(mean_square),
        rows=len(rows),
        name=name,
        configurations=len(squares),
    )


def _ln(outcome: "Outcome") -> float:
    if outcome.ln_error is None:
        raise ValueError("a held-out row has an error")
    return outcome.ln_error
