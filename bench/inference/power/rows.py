"""Published rows with watts, each with what its GPUs did at the rate that was measured."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bench.inference.accelerator import Accelerator, accelerator
from bench.inference.columns.row import Row
from bench.inference.judged.loads import planned
from bench.inference.power.activity import Activity, Load, activity
from bench.inference.power.classes import Served
from bench.inference.power.gpu import Family, family_of, gpu_watts
from bench.inference.timing import step_times
from kernels.llm.counts import precision
from kernels.llm.shapes import ModelShape, load

CONTEXT_FRAC = {"equal": 0.5, "uniform": 2 / 3, "exponential": 1.0}
"""[-] Mean of an answer's tokens in the cache over its mean length, by the spread of the lengths.

A long answer decodes for longer, so that the mean over time is (1 + v^2) / 2 of the mean length, with the coefficient
of variation v.
"""


@dataclass(frozen=True, slots=True)
class TokenTimes:
    """Times that the step-time model gives a row, for one output token."""

    step_s: float  # [s] of its steps
    device_s: float  # [s] of them without the host


@dataclass(frozen=True, slots=True)
class WattRow:
    """A row of one GPU's watts."""

    row: Row
    family: Family
    device: Accelerator
    limit_w: float  # [W] power limit of the GPU
    served: Served
    times: TokenTimes | None  # None if the step-time model cannot predict the row
    activity: Activity
    published_w: float  # [W] of one GPU

    @property
    def shape(self) -> ModelShape:
        """The model."""
        return self.served.shape

    @property
    def model_class(self) -> str:
        """Class by which the watts are judged."""
        return self.served.model_class

    def predicted_w(self, family: Family | None = None) -> float:
        """Return the modelled watts of one GPU [W]; `family` overrides the constants."""
        return gpu_watts(family or self.family, self.limit_w, self.activity)

    def ln_error(self, family: Family | None = None) -> float:
        """Return ln(predicted/published)."""
        return math.log(self.predicted_w(family) / self.published_w)

    def planned_ln_error(self, family: Family) -> float:
        """Return ln(predicted/published) as a plan has it, which does not know that steps are late."""
        planned_w = gpu_watts(family, self.limit_w, replace(self.activity, late_frac=0.0))
        return math.log(planned_w / self.published_w)


def watt_rows(rows: Iterable[Row]) -> list[WattRow]:
    """Return the rows whose GPU watts were measured, of known models on devices of a family.

    Parameters
    ----------
    rows
        Rows of a file in the columns of measured_2026.csv.
    """
    found = (_watt_row(row) for row in rows if row.power_w is not None and row.boundary == "gpu")
    return [row for row in found if row is not None]


def load_of(row: Row, tokens_per_s: float, times: TokenTimes | None) -> Load | None:
    """Return the load of a row at a rate [output token/s]; None without lengths."""
    if row.input_len is None or row.output_len is None:
        return None
    context = row.input_len + CONTEXT_FRAC[row.spread] * row.output_len
    host_frac = late_frac = 0.0
    if times is not None:
        host_frac = min(1.0, (times.step_s - times.device_s) * tokens_per_s)
        late_frac = max(0.0, 1.0 - times.step_s * tokens_per_s)
    return Load(tokens_per_s, float(row.clients or 1), row.input_len, row.output_len, context, host_frac, late_frac)


def _watt_row(row: Row) -> WattRow | None:
    family = family_of(row.device_slug or "")
    if family is None or row.model_name is None or row.dtype is None or row.power_w is None:
        return None
    if row.published_per_s is None or row.clients is None:
        return None
    device, times = accelerator(row.device_slug or ""), _times(row)
    asked = load_of(row, row.published_per_s, times)
    if asked is None or device.limit_w is None:
        return None
    served = Served(load(row.model_name), precision(row.dtype), row.engine)
    does = activity(served, device, row.gpus, asked)
    return WattRow(row, family, device, device.limit_w, served, times, does, row.power_w / row.gpus)


def _times(row: Row) -> TokenTimes | None:
    run = planned(row)
    if isinstance(run, str):
        return None
    step_s, device_s = step_times(run.setup, run.trace, run.most_batch, graphs=run.graphs)
    steps, tokens = run.trace.columns().steps, run.trace.output_tokens
    return TokenTimes(float(step_s @ steps) / tokens, float(device_s @ steps) / tokens)
