"""Published rows with watts against the whole model: modelled rate, watts at that rate, and joules per token."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.inference.columns.row import Row
from bench.inference.engine import Holdout
from bench.inference.power.activity import activity
from bench.inference.power.fit import held_out, holdout
from bench.inference.power.gpu import gpu_watts
from bench.inference.power.rows import WattRow, load_of, watt_rows


@dataclass(frozen=True, slots=True)
class Judged:
    """A row with the watts that the whole model gives it, without any measured figure of the row."""

    row: WattRow
    rate_ln: float  # ln(predicted/published) of the rate
    watts_ln: float  # of a GPU's watts at the predicted rate

    @property
    def joules_ln(self) -> float:
        """The value ln(predicted/published) of the energy per token."""
        return self.watts_ln - self.rate_ln


def judged(rates: Iterable[tuple[Row, float]], *, bundled: bool) -> list[Judged]:
    """Return the rows that have watts and no flag, with their errors at modelled rates.

    Parameters
    ----------
    rates
        Published rows, each with its modelled rate [output token/s] of all GPUs.
    bundled
        Whether these are the rows on which the watts are fitted: each is then predicted by a fit on the other models.
    """
    modelled = dict(rates)
    rows = watt_rows(modelled)
    families = held_out(rows) if bundled else [(row, row.family) for row in rows if row.row.flag is None]
    found = []
    for watts, family in families:
        row, rate = watts.row, modelled[watts.row]
        asked = load_of(row, rate, watts.times)
        if asked is None or row.published_per_s is None:
            continue
        does = activity(watts.served, watts.device, row.gpus, asked)
        predicted_w = gpu_watts(family, watts.limit_w, does)
        rate_ln, watts_ln = math.log(rate / row.published_per_s), math.log(predicted_w / watts.published_w)
        found.append(Judged(watts, rate_ln, watts_ln))
    return found


@dataclass(frozen=True, slots=True)
class JudgedClass:
    """The errors of the whole model on some rows with watts."""

    rate: Holdout
    watts: Holdout  # of a GPU
    joules: Holdout  # of a token
    is_refused: bool  # whether the watts of the class are too uncertain to be printed or used


def judged_classes(rows: Sequence[Judged]) -> dict[str, JudgedClass]:
    """Return the errors by family and class of models: `hopper, dense`."""
    classes: dict[str, list[Judged]] = {}
    for one in rows:
        classes.setdefault(f"{one.row.family.name}, {one.row.model_class}", []).append(one)
    return {
        name: JudgedClass(
            holdout([one.rate_ln for one in ones]),
            holdout([one.watts_ln for one in ones]),
            holdout([one.joules_ln for one in ones]),
            _is_refused(ones[0].row),
        )
        for name, ones in sorted(classes.items())
    }


def _is_refused(row: WattRow) -> bool:
    stated = row.family.holdouts.get(row.model_class)
    return stated is None or stated.is_doubtful
